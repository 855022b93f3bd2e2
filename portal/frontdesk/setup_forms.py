"""The clinic's set-up as forms. The rules are those of the clinic file: it is the file's entries that check them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

from pydantic import ValidationError
from wtforms import BooleanField, EmailField, Field, RadioField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice

from portal.assessment.patterns import PATTERNS
from portal.assessment.rules import Lane
from portal.booking.forms import CheckboxesField
from portal.core.edits import Values
from portal.frontdesk.forms import name_of
from portal.frontdesk.seen_form import SeenForm, dump
from portal.scheduling.clinic_file import ClinicEntry, LocationEntry, ProviderEntry, VisitTypeEntry
from portal.scheduling.editing import SetupEntry
from portal.scheduling.models import Mode

NUMBER, CLOCK = {"inputmode": "numeric"}, {"type": "time"}
MINUTES = "In minutes."
EMPTY = "Fill this in."
# What is wrong, in words for whoever fills in a form, by the kinds of mistake that pydantic names.
MISTAKES = {
    "missing": EMPTY,
    "too_long": "Write at most {max_length} characters.",
    "int_parsing": "Enter a whole number.",
    "greater_than_equal": "Enter {ge} or more.",
    "less_than_equal": "Enter {le} or less.",
    "time_parsing": "Enter a time, like 09:00.",
    "enum": "Choose one of these.",
}
PATTERNS_IN_WORDS = {
    "code": "Write 2 to 6 capital letters.",
    "email": "Enter an e-mail address, like name@example.com.",
}


class ListField(StringField):
    """Several words or numbers, with commas between them."""

    def _value(self) -> str:
        return ", ".join(str(value) for value in self.data or [])

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = [part.strip() for part in ",".join(valuelist).split(",") if part.strip()]


class EntryForm(SeenForm):
    """One piece of the set-up."""

    entry_class: ClassVar[type[SetupEntry]]
    groups: ClassVar[tuple[tuple[str, tuple[str, ...]], ...]]

    entry: SetupEntry  # what was typed, once the form is valid

    @classmethod
    def showing(cls, values: Values | None) -> Self:
        """The form with what is stored, or for something new."""
        return cls(data={**(values or {}), "seen": dump(values)})

    def validate(self, extra_validators: Any = None) -> bool:
        fits = super().validate(extra_validators)
        try:
            self.entry = self.entry_class.model_validate(self._as_in_file())
        except ValidationError as error:
            for fault in error.errors():
                self._explain(fault)
            return False
        return bool(fits)

    def fields_of(self, names: Iterable[str]) -> list[Field]:
        """The fields of these names that the form has."""
        return [self[name] for name in names if name in self]

    def _as_in_file(self) -> dict[str, Any]:
        raw = {}
        for name, about in self.entry_class.model_fields.items():
            value = self[name].data if name in self else None
            may_be_empty = about.default is None or about.default == ""
            if name in self and not (value in (None, "") and may_be_empty):
                raw[about.alias or name] = "" if value is None else self._in_seen_order(name, value)
        return raw

    def _in_seen_order(self, name: str, value: Any) -> Any:
        """What was ticked before stays in its order: a form knows another one, which is no change."""
        if not isinstance(self[name], CheckboxesField):
            return value
        before = list((self.read_seen() or {}).get(name) or [])
        return sorted(value, key=lambda one: before.index(one) if one in before else len(before))

    def _explain(self, fault: Any) -> None:
        alias = fault["loc"][0]
        name = next((n for n, about in self.entry_class.model_fields.items() if about.alias == alias), alias)
        field = self[name]
        if not field.errors:
            field.errors = [_in_words(name, fault)]


def _in_words(name: str, fault: Any) -> str:
    kind, context = fault["type"].removeprefix("string_"), fault.get("ctx", {})
    if kind == "value_error":
        words = str(context["error"])
        return f"{words[0].upper()}{words[1:]}."
    if kind == "too_short":
        return EMPTY if context["min_length"] == 1 else f"Write at least {context['min_length']} characters."
    if kind == "pattern_mismatch":
        return PATTERNS_IN_WORDS[name]
    return MISTAKES[kind].format(**context) if kind in MISTAKES else str(fault["msg"])


class ClinicForm(EntryForm):
    """The clinic as a whole."""

    entry_class = ClinicEntry
    groups = (
        ("Who you are", ("name", "short_name", "code", "phone", "phone_hours")),
        ("Booking online", ("minimum_notice_minutes", "change_cutoff_minutes", "horizon_weeks")),
        ("Mail", ("reminder_days", "reminder_time", "digest_time", "offer_minutes", "quiet_from", "quiet_until")),
        ("Medical records", ("record_years",)),
        ("This installation", ("sample",)),
    )

    name = StringField("Name of the clinic", render_kw={"maxlength": 120})
    short_name = StringField("Short name", description="At the top of every page.", render_kw={"maxlength": 40})
    code = StringField(
        "Code", description="2 to 6 capital letters. Every reference begins with it: TPM-7K3F-94.", default=""
    )
    phone = TelField("Phone", description="On every page, for whoever cannot go on.", render_kw={"maxlength": 20})
    phone_hours = StringField("When the phone is answered", description="Like: Monday to Friday, 8 am to 6 pm.")
    minimum_notice_minutes = StringField("Notice for a booking", default=120, description=MINUTES, render_kw=NUMBER)
    change_cutoff_minutes = StringField(
        "Notice for moving or cancelling", default=1440, description="In minutes; a day is 1440.", render_kw=NUMBER
    )
    horizon_weeks = StringField("How far ahead", default=12, description="In weeks.", render_kw=NUMBER)
    reminder_days = ListField(
        "Reminders, days before",
        default=[3, 1],
        description="With commas. For visits booked or moved from now on; empty for no reminders.",
    )
    reminder_time = StringField("Reminders leave at", default="09:00", render_kw=CLOCK)
    digest_time = StringField("Clinicians hear of the next day at", default="17:00", render_kw=CLOCK)
    offer_minutes = StringField(
        "An earlier time is offered for", default=120, description="In minutes, to each person.", render_kw=NUMBER
    )
    quiet_from = StringField("No offers from", default="21:00", render_kw=CLOCK)
    quiet_until = StringField("until", default="08:00", render_kw=CLOCK)
    record_years = StringField(
        "Kept after the last visit",
        default=10,
        description="In years. States differ: ask what yours asks for. See the privacy page for all periods.",
        render_kw=NUMBER,
    )
    sample = BooleanField("This is a sample: a note says that no appointment is real")


class CodedForm(EntryForm):
    """What there are several of: a code tells them apart, and never changes."""

    code = StringField("Code", description="In addresses of pages. Left empty, it is made from the name.")
    active = BooleanField("In use: offered to patients and at the desk")

    @classmethod
    def showing(cls, values: Values | None) -> Self:
        form = super().showing(values)
        if values is None:
            del form.active
        else:
            form.code.data, form.code.render_kw = values["code"], {"readonly": True}
            form.code.description = "It stays as it is: addresses of pages depend on it."
        return form

    def _as_in_file(self) -> dict[str, Any]:
        raw = super()._as_in_file()
        return {**raw, "code": raw["code"] or make_code(raw["name"])}


class LocationForm(CodedForm):
    """A place."""

    entry_class = LocationEntry
    groups = (("", ("name", "code", "zone_key", "address", "directions", "active")),)

    name = StringField("Name", render_kw={"maxlength": 120})
    zone_key = StringField(
        "Time zone", description="Of the clocks there, like America/New_York.", render_kw={"list": "zones"}
    )
    address = TextAreaField("Address", render_kw={"rows": 3})
    directions = TextAreaField("How to get there", render_kw={"rows": 3})
    zones = sorted(zone for zone in available_timezones() if zone.partition("/")[0] in {"America", "Pacific", "Europe"})


class ProviderForm(CodedForm):
    """A clinician."""

    entry_class = ProviderEntry
    groups = (
        ("", ("name", "code", "role", "credentials", "languages", "daily_cap", "email")),
        ("What patients read", ("about", "sees", "active")),
    )

    name = StringField("Name, with title", description="Like: Ana Diaz, MD.", render_kw={"maxlength": 120})
    role = StringField("Role", description="Like: Headache neurologist.", render_kw={"maxlength": 120})
    credentials = StringField("Credentials", render_kw={"maxlength": 120})
    languages = ListField("Languages", default=["English"], description="With commas.")
    sees = CheckboxesField("Sees", choices=[SelectChoice(p.id, p.term) for p in PATTERNS])
    about = TextAreaField("A sentence or two", render_kw={"rows": 3})
    email = EmailField("E-mail", description="For the evening mail about the next day; empty for none.")
    daily_cap = StringField("Most visits a day", description="Leave empty for no limit.", render_kw=NUMBER)


class VisitTypeForm(CodedForm):
    """A type of visit."""

    entry_class = VisitTypeEntry
    groups = (
        ("", ("name", "code", "minutes", "buffer_before", "buffer_after", "kind", "mode", "lanes", "switch_to")),
        ("What patients read", ("description", "preparation", "active")),
    )

    name = StringField("Name", description="Like: First consult.", render_kw={"maxlength": 120})
    minutes = StringField("Length", description=MINUTES, render_kw=NUMBER)
    buffer_before = StringField("Time before", default=0, description="Minutes, not shown.", render_kw=NUMBER)
    buffer_after = StringField("Time after", default=0, description="Minutes, not shown.", render_kw=NUMBER)
    kind = StringField(
        "Kind", description="Types of one kind can be had in place of each other. Left empty, it is a kind of its own."
    )
    mode = RadioField(
        "How people meet",
        choices=[
            SelectChoice(Mode.IN_PERSON, "In person"),
            SelectChoice(Mode.VIDEO, "By video"),
            SelectChoice(Mode.PHONE, "By phone"),
        ],
        default=Mode.IN_PERSON,
    )
    lanes = CheckboxesField(
        "Bookable online after a headache check that says",
        choices=[SelectChoice(lane, lane.replace("_", " ")) for lane in Lane if lane.may_book],
    )
    switch_to = CheckboxesField("On a bad day it can become", choices=[])
    description = TextAreaField("What happens", render_kw={"rows": 3})
    preparation = TextAreaField("How to prepare", render_kw={"rows": 3})

    def offer_switches(self, types: Iterable[Any]) -> None:
        """What this type can become: the others."""
        self.switch_to.choices = [SelectChoice(t.code, name_of(t)) for t in types if t.code != self.code.data]


def make_code(name: str) -> str:
    """A code from a name: "Third Avenue" is `third-avenue`."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:40].strip("-")
