"""Hold slots, claim them, give them back. Each change is one conditional UPDATE."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Update, bindparam, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import db, lock, run, transactional, transactional_for_now
from portal.scheduling.models import HOLDER, LEAVING, NOW, SOONEST, Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.remake import AS_OFFERED, open_slots
from portal.scheduling.set_up import get_set_up

HOLD = timedelta(minutes=10)
GIVEN_BACK = {"state": SlotState.FREE, "held_by": None, "held_until": None}
# Built once, as each booking sends them several times.
CLAIM = (
    update(Slot)
    .where(Slot.id == bindparam("slot_id"), Slot.can_be_claimed(HOLDER, NOW, SOONEST))
    .execution_options(synchronize_session=False)
)
HOLD_IT = CLAIM.values(state=SlotState.HELD, held_by=HOLDER, held_until=bindparam("until"))
BOOK_IT = CLAIM.values(state=SlotState.BOOKED, held_by=None, held_until=None, freed_at=None)
RELEASE = (
    update(Slot)
    .where(Slot.held_by == HOLDER, Slot.state == SlotState.HELD, Slot.id.is_distinct_from(bindparam("besides")))
    .values(**GIVEN_BACK)
    .execution_options(synchronize_session=False)
)
CLAIMED = (
    select(Slot)
    .where(Slot.id == bindparam("slot_id"))
    .options(joinedload(Slot.visit_type), joinedload(Slot.location))
    .execution_options(populate_existing=True)
)
DAY_OF_SLOT = select(Slot.provider_id, Slot.day).where(Slot.id == bindparam("slot_id"))
TAKEN_OF_DAY = select(func.count()).where(
    Slot.provider_id == bindparam("provider_id"),
    Slot.day == bindparam("day"),
    Slot.id != bindparam("slot_id"),
    Slot.id.is_distinct_from(LEAVING),
    or_(Slot.held_by.is_(None), Slot.held_by.is_distinct_from(HOLDER)),
    Slot.is_taken(NOW),
)


class SlotTaken(Exception):
    """Somebody else has the slot, or it is not offered: an ordinary answer, never a fault."""


class TimeTaken(SlotTaken):
    """A visit, or somebody's hold, stands in the time wanted."""

    @property
    def slot(self) -> Slot:
        """The slot that is in the way."""
        found: Slot = self.args[0]
        return found


@transactional_for_now
def hold_slot(slot_id: int, holder: UUID, until: datetime | None = None, notice: timedelta | None = None) -> datetime:
    """Hold a slot for this holder, 10 minutes unless told, and give back any other it held; returns until when.

    The clinic's notice counts unless another is named. Raises SlotTaken when the slot is not free, not offered
    online any more, or does not exist.
    """
    until = until or clock.now() + HOLD
    _claim(HOLD_IT, slot_id, holder, notice, until=until)
    release_holds(holder, besides=slot_id)
    return until


@transactional_for_now
def release_holds(holder: UUID, besides: int | None = None) -> None:
    """Give back what this holder holds, but for one slot."""
    run(RELEASE, holder=holder, besides=besides)


@transactional
def claim_slot(slot_id: int, holder: UUID | None, notice: timedelta | None = None, leaving: int | None = None) -> Slot:
    """Make a slot booked, for who holds it or finds it free; the holder's other holds are given back.

    The clinic's notice counts unless another is named; the slot that a visit is leaving for it does not count in its
    day. Raises SlotTaken when somebody else has it or it is not offered any more.
    """
    _claim(BOOK_IT, slot_id, holder, notice, leaving)
    if holder is not None:
        release_holds(holder)
    slot = db.session.scalar(CLAIMED, {"slot_id": slot_id})
    assert slot is not None
    return slot


@transactional
def claim_time(provider_id: int, location_id: int, visit_type: VisitType, starts_at: datetime) -> Slot:
    """Book a time of a clinician whether or not it is offered; free times that it overlaps wait until it is left.

    A free time that is offered just so is the one that is booked. Raises TimeTaken when a visit or a hold is there,
    SlotTaken when another was a moment faster.
    """
    lock(select(Provider.id).where(Provider.id == provider_id).with_for_update())
    wanted = _slot_at(provider_id, db.session.get_one(Location, location_id), visit_type, starts_at)
    in_the_way = _counting(wanted)
    for slot in in_the_way:
        if slot.state == SlotState.BOOKED or (slot.held_until is not None and slot.held_until > clock.now()):
            raise TimeTaken(slot)
    for slot in in_the_way:
        slot.held_by = slot.held_until = None
        if slot.offered and AS_OFFERED(slot) == AS_OFFERED(wanted):
            slot.state, slot.freed_at = SlotState.BOOKED, None
            return slot
        slot.offered, slot.state = False, SlotState.FREE
    db.session.flush()
    db.session.add(wanted)
    try:
        db.session.flush()
    except IntegrityError as error:  # the database has the last word on what overlaps
        raise SlotTaken(starts_at) from error
    return wanted


def _slot_at(provider_id: int, location: Location, visit_type: VisitType, starts_at: datetime) -> Slot:
    """A booked slot for a visit of that type, not offered and not stored yet."""
    wall = starts_at.astimezone(location.zone)
    ends_at = starts_at + timedelta(minutes=visit_type.minutes)
    return Slot(
        provider_id=provider_id,
        location_id=location.id,
        visit_type_id=visit_type.id,
        starts_at=starts_at,
        ends_at=ends_at,
        reserved_from=starts_at - timedelta(minutes=visit_type.buffer_before),
        reserved_until=ends_at + timedelta(minutes=visit_type.buffer_after),
        day=wall.date(),
        begins=wall.time(),
        offered=False,
        state=SlotState.BOOKED,
    )


def _counting(wanted: Slot) -> Sequence[Slot]:
    """The clinician's slots that reach into the time of this one, offered or taken; locked."""
    return db.session.scalars(
        select(Slot)
        .where(
            Slot.provider_id == wanted.provider_id,
            or_(Slot.offered, Slot.state != SlotState.FREE),
            Slot.reserved_from < wanted.reserved_until,
            Slot.reserved_until > wanted.reserved_from,
        )
        .order_by(Slot.starts_at)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


@transactional
def release_slot(slot_id: int) -> None:
    """Free a booked slot again; one that the set-up no longer offers is not offered by this either.

    Where a visit stood at a time of its own, what the set-up offers there is offered again.
    """
    offered = db.session.scalar(
        update(Slot)
        .where(Slot.id == slot_id, Slot.state == SlotState.BOOKED)
        .values(**GIVEN_BACK, freed_at=clock.now())
        .returning(Slot.offered)
        .execution_options(synchronize_session=False)
    )
    if offered is False:
        open_slots()


def _claim(
    statement: Update,
    slot_id: int,
    holder: UUID | None,
    notice: timedelta | None,
    leaving: int | None = None,
    **values: object,
) -> None:
    if is_day_full(slot_id, holder, leaving):
        raise SlotTaken(slot_id)
    now = clock.now()
    notice = get_set_up().clinic.minimum_notice if notice is None else notice
    if run(statement, slot_id=slot_id, holder=holder, now=now, soonest=now + notice, **values).rowcount != 1:
        raise SlotTaken(slot_id)


def is_day_full(slot_id: int, holder: UUID | None, leaving: int | None = None) -> bool:
    """Whether the slot's clinician has as many other visits on its day as a day may have; what is the holder's or
    left does not count.

    Locks the clinician, so that of two people who take the last place of a day one gets it.
    """
    if not (caps := get_set_up().caps):
        return False
    provider_id, day = run(DAY_OF_SLOT, slot_id=slot_id).one_or_none() or (None, None)
    if provider_id not in caps:
        return False
    lock(select(Provider.id).where(Provider.id == provider_id).with_for_update())
    values = {"provider_id": provider_id, "day": day, "slot_id": slot_id, "holder": holder, "leaving": leaving}
    taken: int = run(TAKEN_OF_DAY, **values, now=clock.now()).scalar_one()
    return taken >= caps[provider_id]
