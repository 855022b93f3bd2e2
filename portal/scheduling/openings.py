"""From availability in wall time to openings in UTC: pure, so that every odd day can be tested."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache

from dateutil.rrule import rrulestr

from portal.core import clock
from portal.scheduling.models import Availability, Closure, VisitType

LAST_YEARS = datetime.combine(date(9960, 1, 1), time.min)


@dataclass(frozen=True)
class Opening:
    """A time that availability offers, and what it takes of the clinician's time with its buffers."""

    starts_at: datetime
    ends_at: datetime
    reserved_from: datetime
    reserved_until: datetime


@dataclass(frozen=True)
class Skipped:
    """A wall time that is not offered, and why: it is closed then, or it does not exist."""

    wall: datetime
    reason: str
    exists: bool = True


def find_openings(
    availability: Availability, closures: Iterable[Closure], first: date, last: date
) -> Iterator[Opening | Skipped]:
    """The openings of that availability from the first to the last day, and what is skipped."""
    hits = [c for c in closures if concerns(c, availability.provider_id, availability.location_id)]
    before, length, after = _lengths(availability.visit_type)
    for day in list_days(availability.rule, availability.valid_from, availability.valid_until, first, last):
        wall, closes = datetime.combine(day, availability.opens), datetime.combine(day, availability.closes)
        while wall + before + length + after <= closes:
            yield _opening(availability, hits, wall + before)
            wall += before + length + after


@lru_cache(maxsize=2000)  # the desk's pages ask for the same days again and again
def list_days(rule: str, valid_from: date, valid_until: date | None, first: date, last: date) -> tuple[date, ...]:
    """The days from the first to the last on which a rule falls while it is valid."""
    first = max(first, valid_from)
    last = min(last, valid_until or last)
    days = rrulestr(rule, dtstart=datetime.combine(_nearer(rule, valid_from, first), time.min)).between(
        datetime.combine(first, time.min), datetime.combine(last, time.min), inc=True
    )
    return tuple(day.date() for day in days)


def falls_ever(rule: str) -> bool:
    """Whether the rule falls on any day. Looking for one that never comes ends with the year 9999, so we begin late."""
    plainly = re.sub(r";?(UNTIL|INTERVAL)=[^;]*", "", rule)
    return next(iter(rrulestr(plainly, dtstart=LAST_YEARS)), None) is not None


def _nearer(rule: str, valid_from: date, first: date) -> date:
    """A later day from which a weekly rule falls on the same days: the years before need not be counted through."""
    if "FREQ=WEEKLY" not in rule or "COUNT=" in rule:
        return valid_from
    interval = re.search(r"INTERVAL=(\d+)", rule)
    step = timedelta(weeks=int(interval[1]) if interval else 1)
    return valid_from + (first - valid_from) // step * step


def concerns(closure: Closure, provider_id: int, location_id: int) -> bool:
    """Whether a closure is of that clinician at that place."""
    return closure.provider_id in {None, provider_id} and closure.location_id in {None, location_id}


def covers(closure: Closure, starts: datetime, ends: datetime) -> bool:
    """Whether a closure takes away any of the time between two wall times of one day."""
    return any(begin < ends and starts < end for begin, end in list_times(closure, starts.date(), ends.date()))


def list_times(closure: Closure, first: date, last: date) -> list[tuple[datetime, datetime]]:
    """The wall times, from and until, of a closure that may reach into these days."""
    if closure.rule is None:
        return [(closure.starts, closure.ends)]
    # One that comes again lasts a day at most, so only those of these days and of the evening before reach here.
    days = list_days(closure.rule, closure.starts.date(), closure.until, first - timedelta(days=1), last)
    begins = [datetime.combine(day, closure.starts.time()) for day in days]
    return [(begin, begin + (closure.ends - closure.starts)) for begin in begins]


def _opening(availability: Availability, closures: list[Closure], wall: datetime) -> Opening | Skipped:
    before, length, after = _lengths(availability.visit_type)
    zone = availability.location.zone
    for closure in closures:
        if covers(closure, wall, wall + length):
            return Skipped(wall, closure.reason)
    try:
        starts_at = clock.instant(wall, zone)
        clock.instant(wall + length, zone)
    except clock.NonexistentTime as error:
        return Skipped(wall, str(error), exists=False)
    ends_at = starts_at + length
    if (ends_at + after).astimezone(zone).replace(tzinfo=None) > wall + length + after:
        return Skipped(
            wall, f"an hour from {wall:%H:%M} on does not exist on {wall:%B} {wall.day} in {zone.key}", exists=False
        )
    return Opening(starts_at, ends_at, starts_at - before, ends_at + after)


def _lengths(visit_type: VisitType) -> tuple[timedelta, timedelta, timedelta]:
    minutes = (visit_type.buffer_before or 0, visit_type.minutes, visit_type.buffer_after or 0)
    before, length, after = (timedelta(minutes=m) for m in minutes)
    return before, length, after
