"""From availability in wall time to openings in UTC: pure, so that every odd day can be tested."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dateutil.rrule import rrulestr

from portal.core import clock
from portal.scheduling.models import Availability, Closure


@dataclass(frozen=True)
class Opening:
    """A time that availability offers."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class Skipped:
    """A wall time that is not offered, and why."""

    wall: datetime
    reason: str


def find_openings(
    availability: Availability, closures: Iterable[Closure], first: date, last: date
) -> Iterator[Opening | Skipped]:
    """The openings of that availability from the first to the last day, and what is skipped."""
    hits = [closure for closure in closures if _concerns(closure, availability)]
    length = timedelta(minutes=availability.visit_type.minutes)
    for day in list_days(availability, first, last):
        wall = datetime.combine(day, availability.opens)
        while wall + length <= datetime.combine(day, availability.closes):
            yield _opening(availability, hits, wall, length)
            wall += length


def list_days(availability: Availability, first: date, last: date) -> list[date]:
    """The days on which the availability's rule falls."""
    first = max(first, availability.valid_from)
    last = min(last, availability.valid_until or last)
    anchor = datetime.combine(availability.valid_from, time.min)
    days = rrulestr(availability.rule, dtstart=anchor).between(
        datetime.combine(first, time.min), datetime.combine(last, time.min), inc=True
    )
    return [day.date() for day in days]


def _opening(
    availability: Availability, closures: list[Closure], wall: datetime, length: timedelta
) -> Opening | Skipped:
    for closure in closures:
        if closure.starts < wall + length and wall < closure.ends:
            return Skipped(wall, closure.reason)
    try:
        starts_at = clock.instant(wall, availability.location.zone)
        clock.instant(wall + length, availability.location.zone)
    except clock.NonexistentTime as error:
        return Skipped(wall, str(error))
    return Opening(starts_at, starts_at + length)


def _concerns(closure: Closure, availability: Availability) -> bool:
    return closure.provider_id in {None, availability.provider_id} and closure.location_id in {
        None,
        availability.location_id,
    }
