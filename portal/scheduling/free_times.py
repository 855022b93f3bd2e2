"""The free times of the diary, as rows without objects: the page of them is asked for more than any other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, bindparam, func, or_, select, text, tuple_

from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import run
from portal.scheduling.models import (
    CAN_BE_OFFERED,
    HOLDER,
    LEAVING,
    NOW,
    SOONEST,
    Location,
    Mode,
    Provider,
    Slot,
    VisitType,
)
from portal.scheduling.set_up import NoClinic, SetUp, get_set_up

NOON = time(12)
DAY = timedelta(days=1)
MOMENT = bindparam("moment", type_=UtcDateTime)
Query = Select[*tuple[Any, ...]]


@dataclass(frozen=True)
class SlotFilter:
    """Which free times somebody wants to see; None or empty means any."""

    mode: Mode | None = None
    location: str | None = None
    provider: str | None = None
    part_of_day: str | None = None  # "morning" or "afternoon", by the clocks of the place
    weekdays: frozenset[int] = frozenset()  # Monday is 0
    day: date | None = None
    since: date | None = None  # this day and later
    kind: str | None = None  # of the visit's type
    visit_type: str | None = None
    leaving: int | None = None  # the slot of the visit that would move, which counts on no day


@dataclass(frozen=True, slots=True)
class FreeTime:
    """A slot that can be booked, with all that is said of it."""

    id: int
    day: date
    begins: time
    starts_at: datetime
    ends_at: datetime
    provider: Provider
    location: Location
    visit_type: VisitType

    def __hash__(self) -> int:
        return self.id  # whole pages of them are looked up in what is kept


@dataclass(frozen=True)
class _Asked:
    """What is asked of the diary, in the ids and values of its table; None means any."""

    types: tuple[int, ...]
    locations: tuple[int, ...] | None
    providers: tuple[int, ...] | None
    part_of_day: str | None
    days: tuple[date, ...] | None
    since: date | None
    full: tuple[tuple[int, date], ...]  # clinicians, and days on which they see no more people


def find_free_slots(
    wanted: SlotFilter,
    lane: str | None,
    holder: UUID | None = None,
    limit: int = 60,
    not_before: datetime | None = None,
) -> list[FreeTime]:
    """Free slots that this lane may book, soonest first; those that the holder has count as free, however soon.

    Without a lane it is the desk that asks, which books all types, and times too near to be booked online.
    """
    known = get_set_up()
    query = _times_query(_ask(known, wanted, lane, holder), limit)
    return _read(known, run(query, **_claiming(known, lane, holder, not_before)))


def find_slots_around(moment: datetime, lane: str, holder: UUID, limit: int) -> list[FreeTime]:
    """Free slots that this lane may book: so many of the last before that moment, and of the first from it on."""
    known = get_set_up()
    asked, claiming = _ask(known, SlotFilter(), lane, holder), _claiming(known, lane, holder)
    rows = [run(_around_query(asked, limit, earlier), moment=moment, **claiming) for earlier in (True, False)]
    return _read(known, chain(*rows))


def _read(known: SetUp, rows: Iterable[Any]) -> list[FreeTime]:
    providers, locations, types = known.all_providers, known.all_locations, known.all_types
    return [
        FreeTime(id, day, begins, starts_at, ends_at, providers[provider_id], locations[place_id], types[type_id])
        for id, day, begins, starts_at, ends_at, provider_id, place_id, type_id in rows
        if provider_id in providers and place_id in locations  # else it was added a moment ago
    ]


def count_free_by_day(wanted: SlotFilter, lane: str, holder: UUID | None = None) -> dict[date, int]:
    """How many slots are free for this lane on each day that has any."""
    known = get_set_up()
    rows = run(_count_query(_ask(known, wanted, lane, holder)), **_claiming(known, lane, holder))
    return {row[0]: row[1] for row in rows}


def list_free_slots(lane: str, limit: int) -> list[FreeTime]:
    """The soonest free slots for this lane, for any page that offers a few; none without a clinic."""
    try:
        return find_free_slots(SlotFilter(), lane, limit=limit)
    except NoClinic:
        return []


# Building a query takes longer than answering it; these are built once for all who ask the same.
@lru_cache(maxsize=128)
def _times_query(asked: _Asked, limit: int) -> Query:
    return _select_free(asked).order_by(Slot.starts_at, Slot.id).limit(limit)


@lru_cache(maxsize=128)
def _around_query(asked: _Asked, limit: int, earlier: bool) -> Query:
    on_this_side = Slot.starts_at < MOMENT if earlier else Slot.starts_at >= MOMENT
    nearest_first = Slot.starts_at.desc() if earlier else Slot.starts_at
    return _select_free(asked).where(on_this_side).order_by(nearest_first, Slot.id).limit(limit)


def _select_free(asked: _Asked) -> Query:
    columns = (Slot.id, Slot.day, Slot.begins, Slot.starts_at, Slot.ends_at)
    belongs = (Slot.provider_id, Slot.location_id, Slot.visit_type_id)
    return select(*columns, *belongs).where(*_free(asked))


@lru_cache(maxsize=128)
def _count_query(asked: _Asked) -> Query:
    return select(Slot.day, func.count()).where(*_free(asked)).group_by(Slot.day)


def _free(asked: _Asked) -> Iterator[ColumnElement[bool]]:
    # In these very words, for the databases to see that their index of it serves.
    yield text(CAN_BE_OFFERED.text)  # type: ignore[misc]
    yield Slot.starts_at > NOW
    yield Slot.visit_type_id.in_(asked.types)
    yield Slot.can_be_claimed(HOLDER, NOW, SOONEST)
    if asked.locations is not None:
        yield Slot.location_id.in_(asked.locations)
    if asked.providers is not None:
        yield Slot.provider_id.in_(asked.providers)
    if asked.part_of_day:
        yield Slot.begins < NOON if asked.part_of_day == "morning" else Slot.begins >= NOON
    if asked.days is not None:
        yield Slot.day.in_(asked.days)
    if asked.since:
        yield Slot.day >= asked.since
    if asked.full:
        yield tuple_(Slot.provider_id, Slot.day).not_in(asked.full)


def _ask(known: SetUp, wanted: SlotFilter, lane: str | None, holder: UUID | None) -> _Asked:
    types = known.bookable_types(lane, wanted.kind)
    return _Asked(
        tuple(t.id for t in types if wanted.mode in {None, t.mode} and wanted.visit_type in {None, t.code}),
        _ids_of(known.locations, wanted.location),
        _ids_of(known.providers, wanted.provider),
        wanted.part_of_day,
        _days(wanted, known.clinic.horizon_weeks),
        wanted.since,
        find_full_days(known, holder, wanted.leaving),
    )


def _claiming(
    known: SetUp, lane: str | None, holder: UUID | None, not_before: datetime | None = None
) -> dict[str, object]:
    now = clock.now()
    soonest = now if lane is None else now + known.clinic.minimum_notice
    return {"now": now, "soonest": max(soonest, not_before or soonest), "holder": holder}


def _ids_of(entries: Iterable[Location | Provider], code: str | None) -> tuple[int, ...] | None:
    return tuple(entry.id for entry in entries if entry.code == code) if code else None


def _days(wanted: SlotFilter, weeks: int) -> tuple[date, ...] | None:
    """The one day or the weekdays to come that are wanted."""
    if wanted.day:
        return (wanted.day,) if not wanted.weekdays or wanted.day.weekday() in wanted.weekdays else ()
    if not wanted.weekdays:
        return None
    today = clock.now().date()
    days = (today + DAY * n for n in range(-1, 7 * weeks + 2))
    return tuple(day for day in days if day.weekday() in wanted.weekdays)


def find_full_days(
    known: SetUp, holder: UUID | None = None, leaving: int | None = None
) -> tuple[tuple[int, date], ...]:
    """The days, by clinician, that have all the visits they may have; what is the holder's or left does not count."""
    if not (caps := known.caps):
        return ()
    now = clock.now()
    rows = run(_taken_query(tuple(caps)), now=now, yesterday=now.date() - DAY, holder=holder, leaving=leaving)
    return tuple((provider_id, day) for provider_id, day, count in rows if count >= caps[provider_id])


@lru_cache(maxsize=8)
def _taken_query(provider_ids: tuple[int, ...]) -> Query:
    by_others = or_(Slot.held_by.is_(None), HOLDER.is_(None), Slot.held_by != HOLDER)
    return (
        select(Slot.provider_id, Slot.day, func.count())
        .where(Slot.provider_id.in_(provider_ids), Slot.day >= bindparam("yesterday", type_=Date))
        .where(Slot.is_taken(NOW), by_others, Slot.id.is_distinct_from(LEAVING))
        .group_by(Slot.provider_id, Slot.day)
    )
