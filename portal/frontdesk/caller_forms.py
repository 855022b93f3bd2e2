"""What the desk types while somebody is on the phone, and of a patient's record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from wtforms import (
    BooleanField,
    EmailField,
    Field,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TelField,
    TimeField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.assessment.questionnaire import NONE, RED_FLAGS
from portal.booking.forms import REACH_BY, BirthDateField
from portal.booking.models import Patient
from portal.booking.patients import CONTACT, read_contact
from portal.booking.services import Details
from portal.core.dates import write_date
from portal.core.forms import BaseForm, DayField, check_email, check_phone
from portal.core.numbers import read_number
from portal.core.pages import phone_in_words
from portal.frontdesk.seen_form import SeenForm, dump
from portal.scheduling.models import Location, Provider, VisitType

NOT_ASKED = "not-asked"
OFF = {"autocomplete": "off", "spellcheck": "false"}  # what is typed here is about somebody else each time


class ContactForm(SeenForm):
    """Who somebody is, and how to reach them; with the contact of a known patient as it was when it was filled in."""

    name = StringField(
        "Full name",
        validators=[InputRequired("Enter the name of the person who comes."), Length(min=2, max=120)],
        render_kw={**OFF, "maxlength": 120},
    )
    date_of_birth = BirthDateField(
        "Date of birth", render_kw={**OFF, "maxlength": 20, "placeholder": "5/17/1980", "inputmode": "text"}
    )
    phone = TelField(
        "Phone",
        validators=[InputRequired("Enter a phone number, in case something changes."), check_phone],
        render_kw={**OFF, "maxlength": 30},
    )
    email = EmailField(
        "E-mail, if any",
        validators=[Optional(), Length(max=254), check_email],
        render_kw={**OFF, "maxlength": 254},
    )

    def details(self, reach_by: str = "call") -> Details:
        """What was typed, once the form is valid."""
        assert self.date_of_birth.date is not None
        name = " ".join(self.name.data.split())
        return Details(name, self.date_of_birth.date, self.email.data or None, self.phone.data, reach_by, "")

    def fill_in(self, patient: Patient) -> None:
        """Put a patient's contact into the fields."""
        contact = read_contact(patient)
        for name in self._fields.keys() & contact.keys():
            self[name].data = self.as_typed(name, contact[name])
        self.seen.data = dump(contact)

    def as_typed(self, name: str, value: Any) -> Any:
        if name == "date_of_birth":
            return write_date(date.fromisoformat(value))
        return phone_in_words(value) if name == "phone" else value or ""

    def in_words(self, name: str, value: Any) -> str:
        return super().in_words(name, self.as_typed(name, value))


class PatientForm(ContactForm):
    """A patient's contact, corrected."""

    reach_by = RadioField("Reach by", choices=[SelectChoice(*way) for way in REACH_BY])


def _either(label: str) -> RadioField:
    return RadioField(
        label,
        choices=[SelectChoice("kept", "this record"), SelectChoice("merged", "the other record")],
        default="kept",
        validators=[InputRequired("Choose which one stays.")],
    )


class MergeForm(BaseForm):
    """From which of two records each piece of contact is kept."""

    name = _either("Name")
    date_of_birth = _either("Date of birth")
    phone = _either("Phone")
    email = _either("E-mail")
    reach_by = _either("Reach by")

    def contact(self, kept: Patient, merged: Patient) -> dict[str, object]:
        """What the record that stays says from now on, once the form is valid."""
        records = {"kept": kept, "merged": merged}
        return {name: getattr(records[self[name].data], name) for name in CONTACT}


class CallerForm(ContactForm):
    """One call: who, the safety answer, and the time; the rest is what the page remembers between its steps."""

    hints = {NOT_ASKED: "", **{option.id: option.hint for option in RED_FLAGS.options}}
    call = HiddenField()  # the call's own id: it holds the time, and books it once
    patient = HiddenField()
    somebody_new = HiddenField()
    request_id = HiddenField()
    slot = HiddenField()
    visit_type = HiddenField()
    own_time = HiddenField()  # "yes" for a time that is not on offer
    code = StringField("Code from a leaflet or letter", validators=[Length(max=40)], render_kw={**OFF, "maxlength": 40})
    answer = RadioField(
        RED_FLAGS.words,
        name=RED_FLAGS.id,
        choices=[
            *(SelectChoice(o.id, o.words) for o in RED_FLAGS.options if o.id == NONE),
            SelectChoice(NOT_ASKED, "Did not ask: known patient, follow-up"),
            *(SelectChoice(o.id, o.words) for o in RED_FLAGS.options if o.id != NONE),
        ],
        validators=[InputRequired("Read the question aloud, then choose the answer.")],
    )
    own_provider = SelectField("Clinician", validate_choice=False)
    own_location = SelectField("Place", validate_choice=False)
    own_type = SelectField("Type of visit", validate_choice=False)
    own_day = DayField("Day", validators=[Optional()])
    own_begins = TimeField(
        "Time of day", description="Now, if day and time are empty and somebody is here.", validators=[Optional()]
    )
    own_reason = StringField("Reason", validators=[Length(max=200)], render_kw={**OFF, "maxlength": 200})
    is_here = BooleanField("Is here now")

    def offer(
        self, providers: Sequence[Provider], locations: Sequence[Location], visit_types: Sequence[VisitType]
    ) -> None:
        """Fill in what there is to choose from for a time of its own."""
        for field, rows in (
            (self.own_provider, providers),
            (self.own_location, locations),
            (self.own_type, visit_types),
        ):
            field.choices = [SelectChoice(row.code, row.name) for row in rows]

    @property
    def key(self) -> UUID | None:
        """The call's id; None when what was sent is none."""
        return read_id(self.call.data)

    @property
    def slot_id(self) -> int | None:
        """The time chosen."""
        return read_number(self.slot.data)

    @property
    def sign(self) -> str | None:
        """The warning sign that the caller has."""
        given = self.answer.data
        return given if given in RED_FLAGS.option_ids - {NONE} else None

    @property
    def given_answer(self) -> frozenset[str] | None:
        """The caller's answer as it is recorded; None when the desk did not ask."""
        return None if self.answer.data == NOT_ASKED else frozenset({self.answer.data})

    @property
    def wall(self) -> datetime | None:
        """The time of its own, on the clocks of the place."""
        if not self.own_day.data or not self.own_begins.data:
            return None
        return datetime.combine(self.own_day.data, self.own_begins.data)

    @property
    def means_now(self) -> bool:
        """Whether somebody is here, for whom no other time was typed."""
        return bool(self.is_here.data) and not self.own_day.data and not self.own_begins.data

    def validate_slot(self, _field: Field) -> None:
        if not self.own_time.data and self.slot_id is None:
            raise ValidationError("Choose a time.")


def read_id(text: str | None) -> UUID | None:
    """An id from a form or an address; None for anything else."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
