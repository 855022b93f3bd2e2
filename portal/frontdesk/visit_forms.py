"""What staff send about one visit, with the version of it that they looked at."""

from __future__ import annotations

from wtforms import HiddenField, IntegerField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, NumberRange, Optional
from wtforms.widgets import HiddenInput

from portal.booking.desk import STEPS
from portal.core.forms import BaseForm
from portal.core.numbers import LARGEST

CANCEL_REASONS = (
    ("patient", "The patient: the time is free again"),
    ("clinician", "The clinician: the time is closed"),
    ("clinic", "The clinic: the time is closed"),
)
LONGEST_NOTE = 500


class VisitForm(BaseForm):
    """A change of a visit as it was looked at; `back` says which page to return to."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired(), NumberRange(0, LARGEST)])
    back = HiddenField(default="visit")


class StatusForm(VisitForm):
    """How far a visit has come, with the note that was being written, if any."""

    status = SelectField(choices=[SelectChoice(status.value, status.value) for status in STEPS])
    words = HiddenField(validators=[Length(max=LONGEST_NOTE)])


class MoveForm(VisitForm):
    """The time that a visit moves to."""

    slot = IntegerField(validators=[InputRequired("Choose a time."), NumberRange(1, LARGEST)])


class StaffCancelForm(VisitForm):
    """Why a visit does not take place."""

    reason = RadioField(
        "Who cancels?",
        choices=[SelectChoice(*reason) for reason in CANCEL_REASONS],
        validators=[InputRequired("Choose who cancels.")],
    )
    words = StringField(
        "In words, for colleagues",
        description="Not required. Nothing clinical.",
        validators=[Optional(), Length(max=LONGEST_NOTE, message=f"Use at most {LONGEST_NOTE} characters.")],
        render_kw={"maxlength": LONGEST_NOTE, "autocomplete": "off"},
    )


class NoteForm(BaseForm):
    """What colleagues should know of a visit."""

    words = TextAreaField(
        "Note for colleagues",
        id="note",
        description="Nothing clinical. Notes stay as they were written.",
        validators=[
            InputRequired("Write the note."),
            Length(max=LONGEST_NOTE, message=f"Use at most {LONGEST_NOTE} characters."),
        ],
        render_kw={"rows": 2, "maxlength": LONGEST_NOTE},
    )
