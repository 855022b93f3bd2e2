"""The diary of a day or more, as rows without objects: for boards with hundreds of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import cache
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Date, DateTime, Integer, Select, and_, bindparam, func, or_, select, tuple_

from portal.core import clock
from portal.core.db import db
from portal.core.rows import read_rows
from portal.scheduling.free_times import find_full_days
from portal.scheduling.models import Availability, Closure, Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.openings import list_days, list_times
from portal.scheduling.set_up import SetUp, get_set_up, read_set_up

DAY = timedelta(days=1)
Hours = tuple[datetime, datetime]
SlotRow = Any  # rows with the columns that the queries below name
ClosureRow = Any
WorkRow = Any
Query = Select[*tuple[Any, ...]]
FIRST, LAST = bindparam("first", type_=Date), bindparam("last", type_=Date)
ONE = bindparam("provider", type_=Integer)


def list_slot_rows(first: date, last: date, provider_id: int | None = None) -> Sequence[SlotRow]:
    """The times of these days by the clocks of their place, of all clinicians or of one; withdrawn ones too."""
    asked: dict[str, Any] = {"first": first, "last": last, "provider": provider_id}
    # By the connection, because the session would make each row anew.
    return read_rows(db.session.connection().execute(_slots_query(provider_id is not None), asked))


def count_free(first: date, last: date, provider_id: int | None = None, kind: str | None = None) -> dict[date, int]:
    """How many times are free on each of these days that has any; of one clinician or kind where that is named."""
    now = clock.now()
    free = or_(Slot.state == SlotState.FREE, Slot.held_until <= now)
    query = select(Slot.day, func.count()).where(Slot.day.between(first, last), Slot.offered, free)
    query = query.where(Slot.starts_at > now, *of_provider(provider_id))
    if full := find_full_days(get_set_up()):
        query = query.where(tuple_(Slot.provider_id, Slot.day).not_in(full))
    if kind:
        query = query.where(Slot.visit_type_id.in_(select(VisitType.id).where(VisitType.kind == kind)))
    return dict(db.session.execute(query.group_by(Slot.day)).all())


def list_closures_in(first: date, last: date) -> Sequence[ClosureRow]:
    """The closures that may reach into these days."""
    asked = {"begin": _midnight(first), "end": _midnight(last + DAY), "first": first - DAY}
    return db.session.connection().execute(_closures_query(), asked).all()


def list_closed(closure: ClosureRow, day: date) -> list[Hours]:
    """The wall times of that day which a closure takes away."""
    begin, end = _midnight(day), _midnight(day + DAY)
    times = [(max(starts, begin), min(ends, end)) for starts, ends in list_times(closure, day, day)]
    return [(starts, ends) for starts, ends in times if starts < ends]


def list_working(day: date, provider_id: int | None = None) -> list[WorkRow]:
    """Who would see patients on that day, where and from when until when, whatever is closed."""
    asked = {"first": day, "provider": provider_id}
    rows = db.session.connection().execute(_working_query(provider_id is not None), asked)
    return [row for row in rows if list_days(row.rule, row.valid_from, row.valid_until, day, day)]


def get_set_up_of(*found: Sequence[Any]) -> SetUp:
    """The set-up, with every clinician, place and type of visit that these rows name. Raises NoClinic."""
    known = get_set_up()
    ids: dict[str, dict[int, Any]] = {
        "provider_id": known.all_providers,
        "location_id": known.all_locations,
        "visit_type_id": known.all_types,
    }
    for rows in found:
        for name in ids.keys() & (rows[0]._fields if rows else ()):
            if not set(map(attrgetter(name), rows)) <= ids[name].keys():
                return read_set_up()  # one was added a moment ago
    return known


# Building a query takes longer than answering it; these are built once for all who ask the same.
@cache
def _slots_query(of_one: bool) -> Query:
    columns = (Slot.id, Slot.provider_id, Slot.location_id, Slot.visit_type_id, Slot.day, Slot.begins)
    state = (Slot.starts_at, Slot.ends_at, Slot.offered, Slot.state, Slot.held_until)
    query = select(*columns, *state).where(Slot.day.between(FIRST, LAST))
    if of_one:
        query = query.where(Slot.provider_id == ONE)
    return query.order_by(Slot.day, Slot.begins, Slot.id)


@cache
def _closures_query() -> Query:
    begin, end = (bindparam(name, type_=DateTime) for name in ("begin", "end"))
    once = and_(Closure.rule.is_(None), Closure.starts < end, Closure.ends > begin)
    goes_on = or_(Closure.until.is_(None), Closure.until >= FIRST)
    again = and_(Closure.rule.is_not(None), Closure.starts < end, goes_on)
    columns = (Closure.provider_id, Closure.location_id, Closure.starts, Closure.ends)
    query = select(*columns, Closure.rule, Closure.until, Closure.reason).where(or_(once, again))
    return query.order_by(Closure.starts, Closure.id)


@cache
def _working_query(of_one: bool) -> Query:
    columns = (Availability.provider_id, Availability.location_id, Availability.opens, Availability.closes)
    query = select(*columns, Availability.rule, Availability.valid_from, Availability.valid_until)
    query = query.join(Availability.provider).join(Availability.location).join(Availability.visit_type)
    not_over = or_(Availability.valid_until.is_(None), Availability.valid_until >= FIRST)
    query = query.where(Availability.valid_from <= FIRST, not_over)
    query = query.where(Provider.active, Location.active, VisitType.active)
    return query.where(Availability.provider_id == ONE) if of_one else query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def of_provider(provider_id: int | None) -> list[ColumnElement[bool]]:
    """The condition on slots that they are that clinician's; none for all."""
    return [] if provider_id is None else [Slot.provider_id == provider_id]
