"""Who comes and how to reach them; every message says what to write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from wtforms import EmailField, HiddenField, RadioField, SelectMultipleField, StringField, TelField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError
from wtforms.widgets import CheckboxInput

from portal.booking.changes import ATTACK
from portal.booking.models import BookingDraft
from portal.booking.own_zone import ZONES
from portal.booking.requests import Asked
from portal.booking.services import Details
from portal.booking.wishes import WEEKDAYS, Wishes
from portal.core import clock
from portal.core.dates import parse_date, write_date
from portal.core.forms import BaseForm, check_email, check_phone
from portal.core.numbers import read_number
from portal.core.pages import phone_in_words
from portal.scheduling.free_times import SlotFilter
from portal.scheduling.models import Location, Mode, Provider, VisitType

OLDEST = 120  # years
REACH_BY = (("call", "Phone call"), ("text", "Text message"), ("email", "E-mail"))
BEST_TIMES = (
    ("any", "Any time in opening hours"),
    ("morning", "Mornings"),
    ("afternoon", "Afternoons"),
)
CANCEL_REASONS = (
    ("better", "I feel better"),
    ("time", "the time does not suit me"),
    ("elsewhere", "I found care elsewhere"),
    ("cost", "cost or insurance"),
    ("other", "another reason"),
)


class BirthDateField(StringField):
    """A date of birth, typed in any usual way."""

    date: date | None = None

    def pre_validate(self, form: Any) -> None:
        self.date = parse_date(self.data or "")
        if not self.data:
            raise ValidationError("Enter your date of birth, like 5/17/1980.")
        if self.date is None:
            raise ValidationError("We could not read this date. Write it with all digits of the year, like 5/17/1980.")
        today = clock.now().date()
        if self.date > today:
            raise ValidationError("This date of birth is in the future. Check the year.")
        if today.year - self.date.year > OLDEST:
            raise ValidationError("Check the year: this date is too long ago.")


class DetailsForm(BaseForm):
    """Who comes to the visit."""

    name = StringField(
        "Full name",
        validators=[
            InputRequired("Enter the name of the person who comes."),
            Length(min=2, max=120, message="Write the name in 2 to 120 letters."),
        ],
        render_kw={"autocomplete": "name", "maxlength": 120},
    )
    date_of_birth = BirthDateField(
        "Date of birth",
        description="Month, day and year, like 5/17/1980",
        render_kw={"autocomplete": "bday", "inputmode": "text", "maxlength": 20},
    )
    email = EmailField(
        "E-mail",
        description="We send the confirmation here. It names no illness.",
        validators=[
            InputRequired("Enter an e-mail address for the confirmation."),
            Length(max=254),
            check_email,
        ],
        render_kw={"autocomplete": "email", "maxlength": 254, "spellcheck": "false"},
    )
    phone = TelField(
        "Phone",
        description="Only for this visit, if something changes",
        validators=[InputRequired("Enter a phone number, in case something changes."), check_phone],
        render_kw={"autocomplete": "tel", "maxlength": 30},
    )
    reach_by = RadioField(
        "How may we reach you?",
        choices=[SelectChoice(value, label) for value, label in REACH_BY],
        default="call",
        validators=[InputRequired("Choose how we may reach you.")],
    )
    note = TextAreaField(
        "Anything we should know before the visit? (not required)",
        description="An interpreter, a wheelchair, a companion. Kept encrypted, seen only by your care team.",
        validators=[Length(max=500, message="Shorten the note to 500 characters.")],
        render_kw={"rows": 3, "maxlength": 500},
    )

    @classmethod
    def of(cls, draft: BookingDraft) -> DetailsForm:
        """The form with what was typed before, right or wrong, as one types it."""
        if not draft.complete:
            return cls(formdata=None, data=draft.details)
        details = Details.from_json(draft.details)
        typed = {"date_of_birth": write_date(details.date_of_birth), "phone": phone_in_words(details.phone)}
        return cls(formdata=None, data=draft.details | typed)

    def typed(self) -> dict[str, str]:
        """What stands in the form as it was typed, right or wrong."""
        names = (field.name for field in self if field.name != "csrf_token")
        return {name: str(self[name].data or "")[:500] for name in names}

    def details(self) -> Details:
        """What was typed, once the form is valid."""
        assert self.date_of_birth.date is not None
        return Details(
            name=" ".join(self.name.data.split()),
            date_of_birth=self.date_of_birth.date,
            email=self.email.data,
            phone=self.phone.data,
            reach_by=self.reach_by.data,
            note=self.note.data or "",
        )


class SlotForm(BaseForm):
    """One free time, chosen."""

    slot = HiddenField()

    @property
    def slot_id(self) -> int | None:
        """The id of the slot chosen; None when it is missing or no number."""
        return read_number(self.slot.data)


class OwnAddressForm(BaseForm):
    """The e-mail address once more, where it was mistyped."""

    email = DetailsForm.email


class ConfirmForm(SlotForm):
    """The last button: book this slot, once."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])


class CancelForm(BaseForm):
    """Keep the visit, or cancel it for a reason; nothing is chosen beforehand."""

    choice = RadioField(
        "What would you like to do?",
        choices=[
            SelectChoice("keep", "Keep my visit"),
            *(SelectChoice(value, f"Cancel: {label}") for value, label in CANCEL_REASONS),
        ],
        validators=[InputRequired("Choose whether to keep or cancel the visit.")],
    )
    confirmed = HiddenField()


class UndoForm(BaseForm):
    """Take a cancelled visit up again, or leave it; nothing is chosen beforehand."""

    choice = RadioField(
        "Did you cancel by mistake?",
        choices=[
            SelectChoice("again", "Yes: take this time again"),
            SelectChoice("leave", "No: leave the visit cancelled"),
        ],
        validators=[InputRequired("Choose whether to take the time again.")],
    )


class OfferForm(BaseForm):
    """What becomes of an earlier time that is offered; nothing is chosen beforehand."""

    choice = RadioField(
        "What would you like to do?",
        choices=[
            SelectChoice("accept", "Move my visit to the earlier time"),
            SelectChoice("decline", "Keep my time, and my place on the list"),
            SelectChoice("leave", "Keep my time, and take me off the list"),
        ],
        validators=[InputRequired("Choose what becomes of your visit.")],
    )

    def leave_out_earlier(self) -> None:
        """Do not show what cannot be taken any more; whoever chose it a moment before is told so."""
        self.choice.choices = self.choice.choices[1:]


class AttackForm(BaseForm):
    """What becomes of a visit on a bad day; nothing is chosen beforehand."""

    choice = RadioField("What would help?", validators=[InputRequired("Choose what would help.")])
    confirmed = HiddenField()

    def offer(self, switches: list[VisitType]) -> None:
        """Fill in what the visit can become."""
        self.choice.choices = [
            *(SelectChoice(t.code, f"Keep the time, but by {t.mode}") for t in switches),
            SelectChoice(ATTACK, "Give the time back: I cannot come"),
            SelectChoice("keep", "Keep my visit as it is"),
        ]


class BirthDateForm(BaseForm):
    """The date of birth that opens what is more than an appointment."""

    date_of_birth = BirthDateField(
        "Date of birth",
        description="Month, day and year, like 5/17/1980",
        render_kw={"autocomplete": "bday", "maxlength": 20},
    )


class CheckboxesField(SelectMultipleField):
    """Some of several choices; none chosen means that all of them do."""

    option_widget = CheckboxInput()


class WishesForm(BaseForm):
    """When, how and where somebody could come; what is left open counts as any."""

    weekdays = CheckboxesField(
        "Which days?", choices=[SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)]
    )
    parts_of_day = CheckboxesField(
        "What time of day?", choices=[SelectChoice("morning", "Mornings"), SelectChoice("afternoon", "Afternoons")]
    )
    modes = CheckboxesField("How?")
    locations = CheckboxesField("Where?")

    def offer(self, modes: list[Mode], locations: Sequence[Location]) -> None:
        """Fill in what there is to choose from."""
        self.modes.choices = [SelectChoice(mode.value, mode.value.replace("-", " ").capitalize()) for mode in modes]
        self.locations.choices = [SelectChoice(place.code, place.name) for place in locations]

    def wishes(self) -> Wishes:
        """What was chosen, once the form is valid."""
        fields = (self.weekdays, self.parts_of_day, self.modes, self.locations)
        return Wishes(*(tuple(field.data or ()) for field in fields))


class RequestForm(BaseForm):
    """Who asks something of the desk, and where to call."""

    name = StringField(
        "Name",
        validators=[InputRequired("Enter the name we should ask for."), Length(max=120)],
        render_kw={"autocomplete": "name", "maxlength": 120},
    )
    phone = TelField(
        "Phone",
        validators=[InputRequired("Enter the phone number we should call."), check_phone],
        render_kw={"autocomplete": "tel", "maxlength": 30},
    )
    note = TextAreaField(
        "Anything we should know? (not required)",
        description="Kept encrypted, seen only by the clinic.",
        validators=[Length(max=500, message="Shorten the note to 500 characters.")],
        render_kw={"rows": 3, "maxlength": 500},
    )
    key = HiddenField(validators=[InputRequired(), Length(max=64)])

    def wishes(self) -> Wishes:
        """What would suit, once the form is valid: anything, where the form does not ask."""
        return Wishes()

    def asked(self) -> Asked:
        """What was typed, once the form is valid."""
        return Asked(self.name.data, self.phone.data, self.wishes(), self.note.data or "")


class TimeRequestForm(WishesForm, RequestForm):
    """Who would like another time than those on offer."""

    email = EmailField(
        "E-mail (not required)",
        description="For a line that your request has arrived",
        validators=[Optional(), Length(max=254), check_email],
        render_kw={"autocomplete": "email", "maxlength": 254, "spellcheck": "false"},
    )

    def asked(self) -> Asked:
        """What was typed, once the form is valid."""
        return replace(super().asked(), email=self.email.data or None)


class CallBackForm(RequestForm):
    """Who to call, and when."""

    best_time = RadioField(
        "When suits you best?",
        choices=[SelectChoice(value, label) for value, label in BEST_TIMES],
        default="any",
        validators=[InputRequired("Choose when we should call.")],
    )

    def wishes(self) -> Wishes:
        """The part of the day that was chosen."""
        return Wishes(parts_of_day=() if self.best_time.data == "any" else (self.best_time.data,))


class FilterForm(BaseForm):
    """Which free times to show; read from the address, so that a choice can be kept as a link."""

    class Meta(BaseForm.Meta):
        csrf = False

    mode = RadioField("How", validate_choice=False)
    part_of_day = RadioField("When", validate_choice=False)
    weekdays = CheckboxesField("Which days", validate_choice=False)
    location = RadioField("Where", validate_choice=False)
    provider = RadioField("With whom", validate_choice=False)
    zone = RadioField("Your clocks, for video and phone", validate_choice=False)
    day = HiddenField()
    since = HiddenField()

    def offer(
        self, modes: list[Mode], locations: Sequence[Location], providers: Sequence[Provider], zone: str | None
    ) -> None:
        """Fill in what there is to choose from, and the zone of the person's own clocks as far as it is known."""
        self.mode.choices = _choices((mode.value, mode.value.replace("-", " ").capitalize()) for mode in modes)
        self.part_of_day.choices = _choices((("morning", "Mornings"), ("afternoon", "Afternoons")))
        self.weekdays.choices = [SelectChoice(str(number), name) for number, name in enumerate(WEEKDAYS)]
        self.location.choices = _choices((place.code, place.name) for place in locations)
        self.provider.choices = _choices((person.code, person.name) for person in providers)
        known = {**ZONES, **({zone: zone.replace("_", " ")} if zone and zone not in ZONES else {})}
        self.zone.choices = [SelectChoice("", "Same as the clinic"), *(SelectChoice(*item) for item in known.items())]
        self.zone.data = zone or ""

    @property
    def chosen(self) -> list[str]:
        """What the list is narrowed to, in words."""
        wanted = {self.mode.data, self.part_of_day.data, self.location.data, self.provider.data} - {"", None}
        fields = (self.mode, self.part_of_day, self.location, self.provider)
        words = [str(choice.label) for field in fields for choice in field.choices if choice.value in wanted]
        return words + [WEEKDAYS[day] for day in sorted(self.wanted().weekdays)]

    def wanted(self) -> SlotFilter:
        """The filter chosen; what is not on offer counts as any."""
        chosen = {
            field.name: field.data if field.data in {choice.value for choice in field.choices} else None
            for field in (self.mode, self.location, self.provider, self.part_of_day)
        }
        weekdays = frozenset(int(text) for text in self.weekdays.data or () if text in set("0123456"))
        return SlotFilter(
            **{name: value or None for name, value in chosen.items()},
            weekdays=weekdays,
            day=parse_date(self.day.data or ""),
            since=parse_date(self.since.data or ""),
        )


def _choices(pairs: Any) -> list[SelectChoice]:
    return [SelectChoice("", "Any"), *(SelectChoice(value, label) for value, label in pairs)]
