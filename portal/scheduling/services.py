"""Hold slots, claim them, give them back. Each change is one conditional UPDATE."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, func, or_, select, true, update
from sqlalchemy.exc import IntegrityError

from portal.core import clock
from portal.core.db import db, transactional
from portal.scheduling.models import Provider, Slot, SlotState
from portal.scheduling.queries import get_clinic

HOLD = timedelta(minutes=10)
TAKEN = {"state": SlotState.BOOKED, "held_by": None, "held_until": None, "freed_at": None}
GIVEN_BACK = {"state": SlotState.FREE, "held_by": None, "held_until": None}


class SlotTaken(Exception):
    """Somebody else has the slot, or it is not offered: an ordinary answer, never a fault."""


@transactional
def hold_slot(slot_id: int, holder: UUID, until: datetime | None = None) -> datetime:
    """Hold a slot for this holder, 10 minutes unless told, and give back any other it held; returns until when.

    Raises SlotTaken when the slot is not free, not offered online any more, or does not exist.
    """
    until = until or clock.now() + HOLD
    _claim(slot_id, holder, None, state=SlotState.HELD, held_by=holder, held_until=until)
    release_holds(holder, besides=slot_id)
    return until


@transactional
def release_holds(holder: UUID, besides: int | None = None) -> None:
    """Give back what this holder holds, but for one slot."""
    db.session.execute(
        update(Slot)
        .where(Slot.held_by == holder, Slot.state == SlotState.HELD, Slot.id.is_distinct_from(besides))
        .values(**GIVEN_BACK)
        .execution_options(synchronize_session=False)
    )


@transactional
def claim_slot(slot_id: int, holder: UUID | None, notice: timedelta | None = None) -> Slot:
    """Make a slot booked, for who holds it or finds it free; the holder's other holds are given back.

    The clinic's notice counts unless another is named. Raises SlotTaken when somebody else has it or it is not
    offered any more.
    """
    _claim(slot_id, holder, notice, **TAKEN)
    if holder is not None:
        release_holds(holder)
    slot = db.session.get(Slot, slot_id, populate_existing=True)
    assert slot is not None
    return slot


@transactional
def retake_slot(slot_id: int) -> Slot:
    """Book a slot again that was left a moment ago, also one that has begun or is offered no more.

    Raises SlotTaken when somebody has it, or what stands in its time now.
    """
    nobody_has_it = or_(Slot.state == SlotState.FREE, Slot.held_until <= clock.now())
    change = update(Slot).where(Slot.id == slot_id, nobody_has_it).values(**TAKEN)
    try:
        result = db.session.execute(change.execution_options(synchronize_session=False))
    except IntegrityError:  # the database lets no two times of a clinician overlap
        raise SlotTaken(slot_id) from None
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise SlotTaken(slot_id)
    return db.session.get_one(Slot, slot_id, populate_existing=True)


@transactional
def release_slot(slot_id: int) -> None:
    """Free a booked slot again; one that the set-up no longer offers is not offered by this either."""
    db.session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.state == SlotState.BOOKED)
        .values(**GIVEN_BACK, freed_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _claim(slot_id: int, holder: UUID | None, notice: timedelta | None, **values: object) -> None:
    if _day_is_full(slot_id, holder):
        raise SlotTaken(slot_id)
    notice = get_clinic().minimum_notice if notice is None else notice
    result = db.session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.can_be_claimed(holder, clock.now(), notice))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise SlotTaken(slot_id)


def _day_is_full(slot_id: int, holder: UUID | None) -> bool:
    """Whether the slot's clinician has as many other visits on its day as a day may have; the holder's do not count.

    Locks the clinician, so that of two people who take the last place of a day one gets it.
    """
    provider_id, day, cap = db.session.execute(
        select(Slot.provider_id, Slot.day, Provider.daily_cap).join(Slot.provider).where(Slot.id == slot_id)
    ).one_or_none() or (None, None, None)
    if cap is None:
        return False
    db.session.execute(select(Provider.id).where(Provider.id == provider_id).with_for_update())
    others = or_(Slot.held_by.is_(None), Slot.held_by != holder) if holder else true()
    taken = select(func.count()).where(Slot.provider_id == provider_id, Slot.day == day, Slot.id != slot_id, others)
    return (db.session.scalar(taken.where(Slot.is_taken(clock.now()))) or 0) >= cap
