"""The diary of a day or more, as rows without objects: for boards with hundreds of times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from portal.core import clock
from portal.core.db import db
from portal.scheduling.models import Availability, Closure, Provider, Slot, SlotState, VisitType
from portal.scheduling.openings import list_days, list_times

DAY = timedelta(days=1)
Hours = tuple[datetime, datetime]
SlotRow = Any  # a row with the columns that `list_slot_rows` names


def list_slot_rows(first: date, last: date, provider_id: int | None = None) -> Sequence[SlotRow]:
    """The times of these days by the clocks of their place, of all clinicians or of one; withdrawn ones too."""
    columns = (Slot.id, Slot.provider_id, Slot.location_id, Slot.visit_type_id, Slot.day, Slot.begins)
    state = (Slot.starts_at, Slot.ends_at, Slot.offered, Slot.state, Slot.held_until)
    query = select(*columns, *state).where(Slot.day.between(first, last), *_only(provider_id))
    return db.session.execute(query.order_by(Slot.day, Slot.begins, Slot.id)).all()


def count_free(first: date, last: date, provider_id: int | None = None, kind: str | None = None) -> dict[date, int]:
    """How many times are free on each of these days that has any; of one clinician or kind where that is named."""
    now = clock.now()
    free = or_(Slot.state == SlotState.FREE, Slot.held_until <= now)
    query = select(Slot.day, func.count()).where(Slot.day.between(first, last), Slot.offered, free)
    query = query.where(Slot.starts_at > now, *_only(provider_id))
    if kind:
        query = query.where(Slot.visit_type_id.in_(select(VisitType.id).where(VisitType.kind == kind)))
    return dict(db.session.execute(query.group_by(Slot.day)).all())


def list_closures_in(first: date, last: date) -> Sequence[Closure]:
    """The closures that may reach into these days."""
    once = and_(Closure.rule.is_(None), Closure.starts < _midnight(last + DAY), Closure.ends > _midnight(first))
    goes_on = or_(Closure.until.is_(None), Closure.until >= first - DAY)
    again = and_(Closure.rule.is_not(None), Closure.starts < _midnight(last + DAY), goes_on)
    return db.session.scalars(select(Closure).where(or_(once, again)).order_by(Closure.starts, Closure.id)).all()


def list_closed(closure: Closure, day: date) -> list[Hours]:
    """The wall times of that day which a closure takes away."""
    begin, end = _midnight(day), _midnight(day + DAY)
    times = [(max(starts, begin), min(ends, end)) for starts, ends in list_times(closure, day, day)]
    return [(starts, ends) for starts, ends in times if starts < ends]


def list_working(day: date, provider_id: int | None = None) -> list[tuple[Availability, Hours]]:
    """Who would see patients on that day, where and from when until when, whatever is closed."""
    valid = and_(
        Availability.valid_from <= day, or_(Availability.valid_until.is_(None), Availability.valid_until >= day)
    )
    own = [] if provider_id is None else [Availability.provider_id == provider_id]
    rows = db.session.scalars(select(Availability).where(valid, *own))
    return [
        (row, (datetime.combine(day, row.opens), datetime.combine(day, row.closes)))
        for row in rows
        if list_days(row.rule, row.valid_from, row.valid_until, day, day)
    ]


def get_lookups() -> tuple[dict[int, Provider], dict[int, VisitType]]:
    """The clinicians and the types of visit, by id."""
    providers = db.session.scalars(select(Provider).order_by(Provider.name))
    types = db.session.scalars(select(VisitType))
    return {provider.id: provider for provider in providers}, {kind.id: kind for kind in types}


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min)


def _only(provider_id: int | None) -> list[ColumnElement[bool]]:
    return [] if provider_id is None else [Slot.provider_id == provider_id]
