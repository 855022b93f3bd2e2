"""What staff send from the desk."""

from wtforms import RadioField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.core.forms import BaseForm

OUTCOMES = (("reached", "Reached"), ("booked", "Booked"), ("no-answer", "No answer, done"), ("wrong", "Wrong number"))


class CallBackOutcomeForm(BaseForm):
    """How a call back went."""

    outcome = RadioField(
        "How did it go?",
        choices=[SelectChoice(value, label) for value, label in OUTCOMES],
        validators=[InputRequired("Choose how the call went.")],
    )
