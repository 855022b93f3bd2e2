"""Open slots, hold them, claim them, give them back. Each change is one conditional UPDATE."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CursorResult, select, update

from portal.core import clock
from portal.core.db import db, transactional
from portal.scheduling.models import Availability, Closure, Slot, SlotState
from portal.scheduling.openings import Opening, find_openings
from portal.scheduling.queries import NoClinic, get_clinic

HOLD = timedelta(minutes=10)


class SlotTaken(Exception):
    """Somebody else has the slot, or it is not offered: an ordinary answer, never a fault."""


@transactional
def hold_slot(slot_id: int, journey_id: UUID) -> datetime:
    """Hold a slot for this journey and give back any other it held; returns until when.

    Raises SlotTaken when the slot is not free, not offered online any more, or does not exist.
    """
    until = clock.now() + HOLD
    _claim(slot_id, journey_id, state=SlotState.HELD, held_by=journey_id, held_until=until)
    db.session.execute(
        update(Slot)
        .where(Slot.held_by == journey_id, Slot.state == SlotState.HELD, Slot.id != slot_id)
        .values(state=SlotState.FREE, held_by=None, held_until=None)
        .execution_options(synchronize_session=False)
    )
    return until


@transactional
def claim_slot(slot_id: int, journey_id: UUID | None) -> Slot:
    """Make a slot booked, for the journey that holds it or finds it free.

    Raises SlotTaken when somebody else has it or it is not offered any more.
    """
    _claim(slot_id, journey_id, state=SlotState.BOOKED, held_by=None, held_until=None)
    slot = db.session.get(Slot, slot_id, populate_existing=True)
    assert slot is not None
    return slot


@transactional
def release_slot(slot_id: int) -> None:
    """Free a booked slot again."""
    db.session.execute(
        update(Slot).where(Slot.id == slot_id, Slot.state == SlotState.BOOKED).values(state=SlotState.FREE)
    )


def _claim(slot_id: int, journey_id: UUID | None, **values: object) -> None:
    result = db.session.execute(
        update(Slot)
        .where(Slot.id == slot_id, Slot.can_be_claimed(journey_id, clock.now(), get_clinic().minimum_notice))
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != 1:
        raise SlotTaken(slot_id)


def open_slots_if_any() -> int:
    """What the worker does every hour: as `open_slots`, and nothing on a database without a clinic."""
    try:
        return open_slots()
    except NoClinic:
        return 0


@transactional
def open_slots() -> int:
    """Make the slots that availability offers from today to the clinic's horizon; returns how many.

    Doing it again makes none. What stands already, booked or not, is never changed.
    """
    closures = list(db.session.scalars(select(Closure)))
    return sum(_open(availability, closures) for availability in db.session.scalars(select(Availability)))


def _open(availability: Availability, closures: list[Closure]) -> int:
    first = clock.today(availability.location.zone)
    last = first + timedelta(weeks=get_clinic().horizon_weeks)
    taken = _times_of(availability.provider_id)
    made = 0
    for opening in find_openings(availability, closures, first, last):
        if isinstance(opening, Opening) and opening.starts_at > clock.now() and not _overlaps(opening, taken):
            db.session.add(
                Slot(
                    provider_id=availability.provider_id,
                    location_id=availability.location_id,
                    visit_type_id=availability.visit_type_id,
                    starts_at=opening.starts_at,
                    ends_at=opening.ends_at,
                )
            )
            taken.append((opening.starts_at, opening.ends_at))
            made += 1
    db.session.flush()
    return made


def _times_of(provider_id: int) -> list[tuple[datetime, datetime]]:
    rows = db.session.execute(
        select(Slot.starts_at, Slot.ends_at).where(Slot.provider_id == provider_id, Slot.ends_at > clock.now())
    )
    return [(starts_at, ends_at) for starts_at, ends_at in rows]


def _overlaps(opening: Opening, taken: list[tuple[datetime, datetime]]) -> bool:
    return any(starts_at < opening.ends_at and opening.starts_at < ends_at for starts_at, ends_at in taken)
