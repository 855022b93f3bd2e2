"""How much may be held by people who have not booked: whoever holds much must leave most of it to others.

While no more than these shares is held, everybody's time is held. Beyond them a time is not held but claimed when it
is booked: nobody is sent away, and a crowd of programs cannot empty the list of free times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from sqlalchemy import Row, and_, case, func, or_, select, tuple_

from portal.core import clock
from portal.core.db import db
from portal.core.limits import times
from portal.scheduling.models import CAN_BE_OFFERED, IS_HELD, Clinic, Provider, Slot, SlotState
from portal.scheduling.queries import get_clinic

SHARE = 20  # percent of the free times, of each type of visit and of all
SHARE_OF_TYPED = 28  # for whoever has typed who comes
Day = tuple[int, date]  # of a clinician


def may_hold(slot_id: int, holder: UUID, typed: bool) -> bool:
    """Whether this holder's hold of a slot leaves enough to others; a hold that stands may always be renewed.

    To be asked in the transaction that holds: of two that ask at once, the second sees the first one's hold.
    """
    if is_held_by(slot_id, holder):
        return True
    db.session.execute(select(Clinic.id).with_for_update())
    # Columns, not the slot itself: what the session knows of it would be old once it is held.
    columns = select(Slot.id, Slot.visit_type_id, Slot.provider_id, Slot.day).where(Slot.id == slot_id)
    slot = db.session.execute(columns).one_or_none()
    if slot is None:
        return False
    free, lost = _count_free(), _count_lost(slot, holder)
    share = SHARE_OF_TYPED if typed else SHARE
    of_type = lost[slot.visit_type_id] <= _most(free[slot.visit_type_id], share)
    return of_type and lost.total() <= _most(free.total(), share)


def is_held_by(slot_id: int, holder: UUID) -> bool:
    """Whether this holder has the slot now."""
    held = select(Slot.id).where(Slot.id == slot_id, Slot.held_by == holder, IS_HELD, Slot.held_until > clock.now())
    return db.session.scalar(held) is not None


def is_free(slot_id: int, holder: UUID) -> bool:
    """Whether this holder could book the slot now."""
    now = clock.now()
    claimable = Slot.can_be_claimed(holder, now, now + get_clinic().minimum_notice)
    return db.session.scalar(select(Slot.id).where(Slot.id == slot_id, claimable)) is not None


def _most(free: int, share: int) -> int:
    """So many of the free times, one at least: where hardly any are left, a hold is what people rely on."""
    return max(1, times(free * share // 100))


def _count_free() -> Counter[int]:
    """How many times are free or held, by type of visit."""
    soonest = clock.now() + get_clinic().minimum_notice
    rows = select(Slot.visit_type_id, func.count()).where(CAN_BE_OFFERED, Slot.starts_at >= soonest)
    return Counter({row[0]: row[1] for row in db.session.execute(rows.group_by(Slot.visit_type_id))})


def _count_lost(slot: Row[int, int, int, date], holder: UUID) -> Counter[int]:
    """How many times, by type of visit, nobody else could book if this were held too: they are held, or a hold has
    filled their clinician's day."""
    rows = db.session.execute(
        select(Slot.visit_type_id, Slot.provider_id, Slot.day).where(
            IS_HELD, Slot.held_until > clock.now(), Slot.held_by != holder, Slot.id != slot.id
        )
    )
    held = [(slot.visit_type_id, slot.provider_id, slot.day), *((row[0], row[1], row[2]) for row in rows)]
    lost = Counter(type_id for type_id, _, _ in held)
    return lost + _count_on_filled_days({(provider_id, day) for _, provider_id, day in held}, slot, holder)


def _count_on_filled_days(days: Iterable[Day], slot: Row[int, int, int, date], holder: UUID) -> Counter[int]:
    """The free times, by type of visit, of those of the days that holds have filled up to their cap."""
    now = clock.now()
    taken = or_(Slot.id == slot.id, and_(Slot.held_until > now, Slot.held_by != holder))
    booked = Slot.state == SlotState.BOOKED
    open_to_others = or_(Slot.state == SlotState.FREE, Slot.held_until <= now, Slot.held_by == holder)
    soonest = now + get_clinic().minimum_notice
    free = and_(Slot.offered, Slot.id != slot.id, open_to_others, Slot.starts_at >= soonest)
    counts = [func.sum(case((condition, 1), else_=0)) for condition in (booked, or_(booked, taken), free)]
    rows = db.session.execute(
        select(Slot.provider_id, Slot.day, Slot.visit_type_id, Provider.daily_cap, *counts)
        .join(Slot.provider)
        .where(Provider.daily_cap.is_not(None), tuple_(Slot.provider_id, Slot.day).in_(list(days)))
        .group_by(Slot.provider_id, Slot.day, Slot.visit_type_id, Provider.daily_cap)
    ).all()
    of_day: dict[Day, tuple[int, int]] = {}
    for provider_id, day, _, _, visits, full, _ in rows:
        before = of_day.get((provider_id, day), (0, 0))
        of_day[provider_id, day] = (before[0] + visits, before[1] + full)
    lost: Counter[int] = Counter()
    for provider_id, day, type_id, cap, _, _, left in rows:
        visits, full = of_day[provider_id, day]
        if visits < cap <= full:
            lost[type_id] += left
    return lost
