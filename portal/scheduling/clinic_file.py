"""The file that describes a clinic, checked as a whole before anything is stored."""

from __future__ import annotations

import re
import tomllib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from portal.scheduling.models import Mode
from portal.scheduling.openings import falls_ever, list_days

SIXTY_DAYS = 60 * 24 * 60  # minutes
PHONE = re.compile(r"\+?[\d\s().-]+")
FEWEST_DIGITS = 7
A_DAY = date(2026, 1, 1)  # from which a rule is tried


class BadClinicFile(Exception):
    """The file cannot be loaded; the message says where and what to write instead."""


def _check_code(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", value):
        raise ValueError("use small letters, digits and single hyphens, like `third-avenue`")
    return value


def _check_zone(value: str) -> str:
    try:
        if "/" not in value and value != "UTC":  # names such as EST, whose clocks never change
            raise ValueError(value)
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no time zone; write one like America/New_York") from None
    return value


def _check_phone(value: str) -> str:
    if not PHONE.fullmatch(value) or sum(letter.isdigit() for letter in value) < FEWEST_DIGITS:
        raise ValueError("write the number alone, like (212) 555-0142: it can be tapped to call")
    return value


def check_rule(value: str) -> str:
    """The same rule, when it says on which days and no more. Raises ValueError that says what to write."""
    more, days = (
        re.search(r"BYHOUR|BYMINUTE|INTERVAL=0|\s", value),
        re.search("FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)", value),
    )
    if more or not days:
        raise ValueError(f"{value!r} says more than days; write one like FREQ=WEEKLY;BYDAY=MO,TH")
    try:
        if not falls_ever(value):
            raise ValueError("it falls on no day")
        list_days(value, A_DAY, None, A_DAY, A_DAY)
    except ValueError as error:
        raise ValueError(f"{value!r} is no rule ({error}); write one like FREQ=WEEKLY;BYDAY=MO,TH") from None
    except (ArithmeticError, LookupError):
        raise ValueError(f"{value!r} counts too far; write one like FREQ=WEEKLY;BYDAY=MO,TH") from None
    return value


def _check_wall_time(value: time) -> time:
    if value.tzinfo or value.second or value.microsecond:
        raise ValueError("write a time like 09:00")
    return value


WallTime = Annotated[time, AfterValidator(_check_wall_time)]
Rule = Annotated[str, Field(max_length=200), AfterValidator(check_rule)]
Code = Annotated[str, Field(max_length=40), AfterValidator(_check_code)]


def _check_one_line(value: str) -> str:
    if not value.isprintable():
        raise ValueError("write it in one line")
    return value


def _check_no_twice(values: list[int]) -> list[int]:
    if len(set(values)) < len(values):
        raise ValueError("write each number once")
    return values


OneLine = Annotated[str, AfterValidator(_check_one_line)]
Line = Annotated[OneLine, Field(min_length=1, max_length=120)]


class Entry(BaseModel):
    """A table of the file: a name that is not known in it is a mistake."""

    model_config = ConfigDict(extra="forbid")


class ClinicEntry(Entry):
    name: Line
    short_name: Annotated[OneLine, Field(min_length=1, max_length=40)]
    code: Annotated[str, Field(pattern=r"^[A-Z]{2,6}$")]
    phone: Annotated[OneLine, Field(min_length=5, max_length=20), AfterValidator(_check_phone)]
    phone_hours: Line
    minimum_notice_minutes: Annotated[int, Field(ge=0, le=SIXTY_DAYS)] = 120
    change_cutoff_minutes: Annotated[int, Field(ge=0, le=SIXTY_DAYS)] = 24 * 60
    horizon_weeks: Annotated[int, Field(ge=1, le=52)] = 12
    reminder_days: Annotated[list[Annotated[int, Field(ge=0, le=60)]], AfterValidator(_check_no_twice)] = [3, 1]
    reminder_time: WallTime = time(9)
    digest_time: WallTime = time(17)
    offer_minutes: Annotated[int, Field(ge=15, le=24 * 60)] = 120
    quiet_from: WallTime = time(21)
    quiet_until: WallTime = time(8)
    record_years: Annotated[int, Field(ge=1, le=100)] = 10
    sample: bool = False


class LocationEntry(Entry):
    code: Code
    name: Line
    address: str
    directions: str = ""
    zone_key: Annotated[str, AfterValidator(_check_zone), Field(alias="zone", max_length=40)]
    active: bool = True


class ProviderEntry(Entry):
    code: Code
    name: Line
    credentials: Line
    role: Line
    languages: list[Line] = ["English"]
    sees: list[str] = []
    about: str = ""
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    daily_cap: Annotated[int, Field(ge=1, le=200)] | None = None
    active: bool = True


class VisitTypeEntry(Entry):
    code: Code
    name: Line
    kind: Code = ""
    mode: Mode
    minutes: Annotated[int, Field(ge=5, le=480)]
    buffer_before: Annotated[int, Field(ge=0, le=240)] = 0
    buffer_after: Annotated[int, Field(ge=0, le=240)] = 0
    switch_to: list[Code] = []
    lanes: list[str] = []
    description: str = ""
    preparation: str = ""
    active: bool = True

    @model_validator(mode="after")
    def name_kind(self) -> Self:
        self.kind = self.kind or self.code
        return self


class AvailabilityEntry(Entry):
    provider: Code
    location: Code
    visit_type: Code
    rule: Rule
    opens: WallTime
    closes: WallTime
    valid_from: date
    valid_until: date | None = None

    @model_validator(mode="after")
    def check_order(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("`closes` must be later than `opens`")
        return self


class ClosureEntry(Entry):
    provider: Code | None = None
    location: Code | None = None
    starts: datetime
    ends: datetime
    rule: Rule | None = None
    until: date | None = None
    reason: Line

    @model_validator(mode="after")
    def check_order(self) -> Self:
        if self.starts >= self.ends:
            raise ValueError("`ends` must be later than `starts`")
        if self.starts.tzinfo or self.ends.tzinfo:
            raise ValueError("write wall time, without a zone")
        if self.rule and self.ends - self.starts > timedelta(days=1):
            raise ValueError("a closure that comes again lasts a day at most")
        return self


class ReferralLinkEntry(Entry):
    code: Code
    label: Line
    kind: Annotated[str, Field(pattern="^(article|clinician|partner|print|campaign)$")]
    destination: Annotated[str, Field(pattern=r"^/([a-z0-9][a-z0-9/-]*)?$")]


class ClinicFile(Entry):
    """Everything that `flask clinic load` stores."""

    clinic: ClinicEntry
    locations: list[LocationEntry]
    providers: list[ProviderEntry]
    visit_types: list[VisitTypeEntry]
    availability: list[AvailabilityEntry] = []
    closures: list[ClosureEntry] = []
    referral_links: list[ReferralLinkEntry] = []

    @model_validator(mode="after")
    def check_references(self) -> Self:
        known = {
            "provider": {entry.code for entry in self.providers},
            "location": {entry.code for entry in self.locations},
            "visit_type": {entry.code for entry in self.visit_types},
        }
        for visit_type in self.visit_types:
            if strange := set(visit_type.switch_to) - known["visit_type"]:
                raise ValueError(f"switch_to {min(strange)!r} of {visit_type.code!r} is not defined in this file")
        for entry in (*self.availability, *self.closures):
            for kind, codes in known.items():
                code = getattr(entry, kind, None)
                if code is not None and code not in codes:
                    raise ValueError(f"{kind} {code!r} is not defined in this file; known: {', '.join(sorted(codes))}")
        return self


def read_clinic_file(file: Path) -> ClinicFile:
    """The clinic described in a TOML file. Raises BadClinicFile that names every mistake."""
    try:
        raw: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
        return ClinicFile.model_validate(raw)
    except OSError as error:
        raise BadClinicFile(f"{file}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadClinicFile(f"{file}: {error}") from None
    except ValidationError as error:
        raise BadClinicFile("\n".join(_explain(file, fault) for fault in error.errors())) from None


def _explain(file: Path, fault: Any) -> str:
    place = ".".join(str(part + 1) if isinstance(part, int) else part for part in fault["loc"])
    return f"{file}: {place + ': ' if place else ''}{fault['msg'].removeprefix('Value error, ')}"
