"""What a manager sends about one person's data: why it is held, why it is erased."""

from __future__ import annotations

from wtforms import HiddenField, RadioField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.booking.erasure import REASONS
from portal.core.forms import BaseForm


class HoldForm(BaseForm):
    """Why a legal hold is set, or lifted."""

    reason = StringField(
        "Reason",
        description="Like the number of the case. It is kept encrypted, with your name.",
        validators=[InputRequired("Say why: whoever asks later needs to know."), Length(max=300)],
    )


class EraseForm(BaseForm):
    """Why a person is erased; the second time with the word that it is meant."""

    reason = RadioField(
        "Why is this person erased?",
        choices=[SelectChoice(value, words) for value, words in REASONS.items()],
        validators=[InputRequired("Choose why.")],
    )
    confirmed = HiddenField()
