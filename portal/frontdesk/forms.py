"""What staff send from the desk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from wtforms import EmailField, Field, RadioField, SelectField, StringField, TimeField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional, ValidationError

from portal.booking.forms import CheckboxesField
from portal.booking.requests import NO_ANSWER
from portal.core.forms import LAST_BEFORE_FIRST, BaseForm, DayField, NotBefore, check_email
from portal.frontdesk.seen_form import SeenForm, dump
from portal.frontdesk.words import ANOTHER, DAYS, RHYTHMS, WORKING_DAYS, read_rule, write_rule
from portal.scheduling.changes import read_availability
from portal.scheduling.clinic_file import check_rule
from portal.scheduling.models import Availability, Closure, Location, Provider, VisitType
from portal.scheduling.openings import list_days

OUTCOMES = (
    ("reached", "Reached"),
    ("booked", "Booked"),
    (NO_ANSWER, "No answer: try again"),
    ("wrong", "Wrong number"),
    ("given-up", "Not reached, done"),
)

MOST_DAYS = 92  # of visits in one file
BOTH_TIMES = "Enter both times, from and until, or neither."


class OutcomeForm(BaseForm):
    """How a request went."""

    outcome = RadioField(
        "How did it go?",
        choices=[SelectChoice(value, label) for value, label in OUTCOMES],
        validators=[InputRequired("Choose how it went.")],
    )


class AddressForm(BaseForm):
    """An e-mail address, corrected or told at last."""

    email = EmailField(
        "Right e-mail address", validators=[InputRequired("Enter the e-mail address."), Length(max=254), check_email]
    )


class DiaryForm(BaseForm):
    """Something in the diary of clinicians and places."""

    def offer(self, **rows: Sequence[Provider] | Sequence[Location] | Sequence[VisitType]) -> None:
        """Fill in what there is to choose from, by the names of the fields."""
        for name, found in rows.items():
            field: Any = self[name]
            anything = [] if field.flags.required else [SelectChoice("", "All")]
            field.choices = anything + [SelectChoice(str(row.id), row.name) for row in found]

    def offer_retired(self, **rows: Provider | Location | VisitType) -> None:
        """Leave what was chosen before to be chosen, where it is no longer in use."""
        for name, row in rows.items():
            if not row.active:
                self[name].choices += [SelectChoice(str(row.id), name_of(row))]


def name_of(row: Provider | Location | VisitType) -> str:
    """The name of what can be chosen, with a word where it is no longer in use."""
    return row.name if row.active else f"{row.name} (no longer in use)"


def _number(field: Field) -> int | None:
    return int(field.data) if field.data else None


class NeededWhen:
    """A validator: a field that may be left empty, but not when the rest of the form asks for it."""

    def __init__(self, asked_for: Callable[[Any], bool], message: str) -> None:
        self._asked_for, self._message = asked_for, message

    def __call__(self, form: Any, field: Field) -> None:
        (InputRequired(self._message) if self._asked_for(form) else Optional())(form, field)


class ClosureForm(DiaryForm):
    """A time without visits: whole days, from an hour of one until an hour of another, or again each working day."""

    provider = SelectField("Clinician", validators=[Optional()])
    location = SelectField("Place", validators=[Optional()])
    first = DayField("First day", validators=[InputRequired("Enter the first day that is closed.")])
    last = DayField(
        "Last day",
        validators=[
            NeededWhen(lambda form: form.again, "Enter the last day too, until which it comes again."),
            NotBefore("first"),
        ],
        description="Leave empty for one day",
    )
    opens = TimeField(
        "From",
        validators=[NeededWhen(lambda form: form.closes.data is not None, BOTH_TIMES)],
        description="On the first day. Leave empty for whole days",
    )
    closes = TimeField(
        "Until",
        validators=[NeededWhen(lambda form: form.opens.data is not None, BOTH_TIMES)],
        description="On the last day",
    )
    weekdays = RadioField(
        "Again",
        choices=[
            SelectChoice("", "Only then, without a break"),
            SelectChoice("daily", "At these times every working day between them, like lunch"),
        ],
        default="",
    )
    reason = StringField(
        "Reason, for staff", validators=[InputRequired("Say why, for your colleagues."), Length(max=120)]
    )

    def validate_closes(self, field: Field) -> None:
        within_a_day = self.again or (not self.last.errors and self.last.data in {None, self.first.data})
        if within_a_day and self.opens.data and field.data and field.data <= self.opens.data:
            raise ValidationError("The closed time must end after it begins.")

    @property
    def again(self) -> bool:
        """Whether it comes again each working day."""
        return bool(self.weekdays.data == "daily")

    def closure(self) -> Closure:
        """A new closure, once the form is valid."""
        first, last = self.first.data, self.last.data or self.first.data
        return Closure(
            provider_id=_number(self.provider),
            location_id=_number(self.location),
            starts=datetime.combine(first, self.opens.data or time.min),
            ends=datetime.combine(first if self.again else last, self.closes.data or time.max),
            rule=WORKING_DAYS if self.again else None,
            until=last if self.again else None,
            reason=self.reason.data,
        )


class TimesForm(DiaryForm):
    """Times that a clinician offers for a type of visit."""

    provider = SelectField("Clinician", validators=[InputRequired()])
    location = SelectField("Place", validators=[InputRequired()])
    visit_type = SelectField("Type of visit", validators=[InputRequired()])
    opens: TimeField
    closes: TimeField

    def validate_closes(self, field: Field) -> None:
        if self.opens.data and field.data and field.data <= self.opens.data:
            raise ValidationError("The times must end after they begin.")


class AvailabilityForm(SeenForm, TimesForm):
    """When a clinician offers a type of visit."""

    weekday = CheckboxesField("On", choices=[SelectChoice(*day) for day in DAYS])
    rhythm = SelectField("How often", choices=[SelectChoice(*rhythm) for rhythm in (*RHYTHMS, ANOTHER)])
    rule = StringField(
        "Another rhythm",
        description="A rule of RFC 5545, like FREQ=WEEKLY;INTERVAL=3;BYDAY=MO. Leave empty otherwise.",
        validators=[Optional(), Length(max=200)],
    )
    opens = TimeField("From", validators=[InputRequired("Enter when the first visit begins.")])
    closes = TimeField("Until", validators=[InputRequired("Enter when the last visit must be over.")])
    valid_from = DayField("First day", validators=[InputRequired("Enter from which day on.")])
    valid_until = DayField(
        "Last day", validators=[Optional(), NotBefore("valid_from")], description="Leave empty when it has no end"
    )

    @classmethod
    def showing(cls, row: Availability, today: date) -> Self:
        """The form filled in with availability, to be changed from its next day on."""
        days = list_days(row.rule, row.valid_from, row.valid_until, today, today + timedelta(days=366))
        rhythm, weekdays = read_rule(row.rule) or (ANOTHER[0], [])
        shown = {"rhythm": rhythm, "weekday": weekdays, "rule": row.rule if rhythm == ANOTHER[0] else ""}
        for name in ("provider", "location", "visit_type"):
            shown[name] = str(getattr(row, f"{name}_id"))
        for name in ("opens", "closes", "valid_until"):
            shown[name] = getattr(row, name)
        return cls(
            data={**shown, "valid_from": days[0] if days else row.valid_from, "seen": dump(read_availability(row))}
        )

    def validate_rhythm(self, field: Field) -> None:
        if field.data != ANOTHER[0] and not self.weekday.data:
            raise ValidationError("Choose at least one day of the week.")
        if field.data == ANOTHER[0]:
            try:
                check_rule(self.rule.data or "")
            except ValueError as error:
                raise ValidationError(f"Check the other rhythm: {error}.") from None

    def availability(self) -> Availability:
        """New availability, once the form is valid."""
        another = self.rhythm.data == ANOTHER[0]
        return Availability(
            provider_id=_number(self.provider),
            location_id=_number(self.location),
            visit_type_id=_number(self.visit_type),
            rule=self.rule.data if another else write_rule(self.rhythm.data, self.weekday.data),
            opens=self.opens.data,
            closes=self.closes.data,
            valid_from=self.valid_from.data,
            valid_until=self.valid_until.data,
        )


class EndForm(SeenForm):
    """The last day on which availability is offered."""

    last = DayField("Last day", validators=[InputRequired("Enter the last day.")])
    row: Availability

    @classmethod
    def showing(cls, row: Availability) -> Self:
        """The form as it stands beside availability before anybody types."""
        return cls(formdata=None, data={"last": row.valid_until, "seen": dump(read_availability(row))}).about(row)

    def about(self, row: Availability) -> Self:
        """The same form, as that of one of the rows on a page."""
        self.row = row
        for field in self:
            field.id = f"{field.id}-{row.id}"
        return self

    def validate_last(self, field: Field) -> None:
        if field.data < self.row.valid_from:
            raise ValidationError(LAST_BEFORE_FIRST)


class ExportForm(BaseForm):
    """The days whose visits are exported; sent as a link, as it changes nothing."""

    class Meta(BaseForm.Meta):
        csrf = False

    since = DayField("From", name="from", validators=[InputRequired("Enter the first day.")])
    until = DayField("Until", validators=[InputRequired("Enter the last day."), NotBefore("since")])

    def validate_until(self, field: Field) -> None:
        if self.since.data and (field.data - self.since.data).days >= MOST_DAYS:
            raise ValidationError(f"These are more than {MOST_DAYS} days: export them in parts.")


class BlockForm(BaseForm):
    """Why free times are blocked, and on which day they were ticked."""

    day = DayField(validators=[Optional()])
    reason = StringField(
        "Reason",
        id="times-reason",
        validators=[InputRequired("Say why, for your colleagues."), Length(max=120)],
        render_kw={"autocomplete": "off"},
    )


class ExtraForm(TimesForm):
    """Times of one day, besides those of the week's plan."""

    day = DayField("Day", validators=[InputRequired("Enter the day.")])
    opens = TimeField("From", validators=[InputRequired("Enter when the first visit begins.")])
    closes = TimeField("Until", validators=[InputRequired("Enter when the last visit must be over.")])

    def availability(self) -> Availability:
        """Availability of that day alone, once the form is valid."""
        return Availability(
            provider_id=_number(self.provider),
            location_id=_number(self.location),
            visit_type_id=_number(self.visit_type),
            rule="FREQ=DAILY;COUNT=1",
            opens=self.opens.data,
            closes=self.closes.data,
            valid_from=self.day.data,
            valid_until=self.day.data,
        )
