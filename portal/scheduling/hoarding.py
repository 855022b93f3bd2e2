"""How much may be held by people who have not booked: whoever holds much must leave most of it to others.

While no more than these shares is held, everybody's time is held. Beyond them a time is not held but claimed when it
is booked: nobody is sent away, and a crowd of programs cannot empty the list of free times.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Select, and_, bindparam, case, func, or_, select

from portal.core import clock
from portal.core.db import lock, run
from portal.core.kept import kept
from portal.core.limits import times
from portal.scheduling.models import CAN_BE_OFFERED, HOLDER, IS_HELD, NOW, SOONEST, Clinic, Slot, SlotState
from portal.scheduling.set_up import get_set_up

SHARE = 20  # percent of the free times, of each type of visit and of all
SHARE_OF_TYPED = 28  # for whoever has typed who comes
Day = tuple[int, date]  # of a clinician

# Built once: they are asked with each hold. Columns, not the slot itself: what the session knows of it would be old
# once it is held.
SLOT_ID: BindParameter[int] = bindparam("slot_id")
MINE = and_(Slot.held_by == HOLDER, IS_HELD, Slot.held_until > NOW)
CLAIMABLE = select(Slot.id, Slot.visit_type_id, Slot.provider_id, Slot.day, case((MINE, True), else_=False)).where(
    Slot.id == SLOT_ID, Slot.can_be_claimed(HOLDER, NOW, SOONEST)
)
FREE = (
    select(Slot.visit_type_id, func.count())
    .where(CAN_BE_OFFERED, Slot.starts_at >= SOONEST)
    .group_by(Slot.visit_type_id)
)
HELD_BY_OTHERS = (
    select(Slot.visit_type_id, Slot.provider_id, Slot.day, func.count())
    .where(IS_HELD, Slot.held_until > NOW, Slot.held_by != HOLDER, Slot.id != SLOT_ID)
    .group_by(Slot.visit_type_id, Slot.provider_id, Slot.day)
)


@dataclass(frozen=True, slots=True)
class Claimable:
    """A slot that somebody could book now, and whether it is held for just that."""

    slot_id: int
    visit_type_id: int
    provider_id: int
    day: date
    is_held: bool


def find_claimable(slot_id: int, holder: UUID) -> Claimable | None:
    """The slot, if this holder could book it now."""
    now, notice = clock.now(), get_set_up().clinic.minimum_notice
    row = run(CLAIMABLE, slot_id=slot_id, holder=holder, now=now, soonest=now + notice).first()
    return Claimable(*row) if row else None


def may_hold(slot: Claimable, holder: UUID, typed: bool) -> bool:
    """Whether a hold that this holder does not have yet leaves enough to others.

    To be asked in the transaction that holds: of two that ask at once, the second sees the first one's hold.
    """
    lock(select(Clinic.id).with_for_update())
    free, lost = _count_free(), _count_lost(slot, holder)
    share = SHARE_OF_TYPED if typed else SHARE
    of_type = lost[slot.visit_type_id] <= _most(free[slot.visit_type_id], share)
    return of_type and lost.total() <= _most(free.total(), share)


def _most(free: int, share: int) -> int:
    """So many of the free times, one at least: where hardly any are left, a hold is what people rely on."""
    return max(1, times(free * share // 100))


@kept
def _count_free() -> Counter[int]:
    """How many times are free or held, by type of visit; a few seconds old, as a share of it need not be exact."""
    soonest = clock.now() + get_set_up().clinic.minimum_notice
    return Counter({row[0]: row[1] for row in run(FREE, soonest=soonest)})


def _count_lost(slot: Claimable, holder: UUID) -> Counter[int]:
    """How many times, by type of visit, nobody else could book if this were held too: they are held, or a hold has
    filled their clinician's day."""
    lost, days = Counter({slot.visit_type_id: 1}), {(slot.provider_id, slot.day)}
    for type_id, provider_id, day, count in run(HELD_BY_OTHERS, slot_id=slot.slot_id, holder=holder, now=clock.now()):
        lost[type_id] += count
        days.add((provider_id, day))
    caps = get_set_up().caps
    capped = {day for day in days if day[0] in caps}
    return lost + _count_on_filled_days(capped, caps, slot, holder) if capped else lost


def _count_on_filled_days(days: set[Day], caps: dict[int, int], slot: Claimable, holder: UUID) -> Counter[int]:
    """The free times, by type of visit, of those of the days that holds have filled up to their cap."""
    who, when = {provider_id for provider_id, _ in days}, {day for _, day in days}
    now, notice = clock.now(), get_set_up().clinic.minimum_notice
    found = run(
        ON_DAYS,
        providers=list(who),
        days=list(when),
        slot_id=slot.slot_id,
        holder=holder,
        now=now,
        soonest=now + notice,
    )
    rows = [row for row in found if (row[0], row[1]) in days]
    of_day: dict[Day, tuple[int, int]] = {}
    for provider_id, day, _, visits, full, _ in rows:
        before = of_day.get((provider_id, day), (0, 0))
        of_day[provider_id, day] = (before[0] + visits, before[1] + full)
    lost: Counter[int] = Counter()
    for provider_id, day, type_id, _, _, left in rows:
        visits, full = of_day[provider_id, day]
        if visits < caps[provider_id] <= full:
            lost[type_id] += left
    return lost


def _build_on_days() -> Select[*tuple[Any, ...]]:
    """Of each day of a clinician and type of visit: the visits, what is taken with this hold, what is free then."""
    taken = or_(Slot.id == SLOT_ID, and_(Slot.held_until > NOW, Slot.held_by != HOLDER))
    booked = Slot.state == SlotState.BOOKED
    open_to_others = or_(Slot.state == SlotState.FREE, Slot.held_until <= NOW, Slot.held_by == HOLDER)
    free = and_(Slot.offered, Slot.id != SLOT_ID, open_to_others, Slot.starts_at >= SOONEST)
    counts = [func.sum(case((condition, 1), else_=0)) for condition in (booked, or_(booked, taken), free)]
    return (
        select(Slot.provider_id, Slot.day, Slot.visit_type_id, *counts)
        .where(Slot.provider_id.in_(bindparam("providers", expanding=True)))
        .where(Slot.day.in_(bindparam("days", expanding=True)))
        .group_by(Slot.provider_id, Slot.day, Slot.visit_type_id)
    )


ON_DAYS = _build_on_days()
