"""Free times blocked and opened again by hand, one by one or as a range: as closures, so that they stay so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import select

from portal import audit
from portal.core import clock
from portal.core.db import db, transactional
from portal.scheduling.changes import add_closures, close, lock_diary, reopen
from portal.scheduling.models import Closure, Slot, SlotState
from portal.scheduling.queries import WITH_SURROUNDINGS, is_hit, wall_times
from portal.scheduling.remake import Changes, open_slots


@transactional
def block(slot_ids: Collection[int], reason: str) -> Changes:
    """Close these free times to come, those that follow on each other as one; what is taken by now stays."""
    lock_diary()
    free = [slot for slot in _find(slot_ids) if slot.state == SlotState.FREE and slot.offered]
    return close(*_closures(free, reason))


@transactional
def unblock(slot_ids: Collection[int]) -> tuple[Changes, list[str]]:
    """Take these times out of the closures of their own clinician, and offer them again.

    Returns what that did, and the reasons of the closures that it did not touch: those of everybody, those that
    come again, and times that the availability does not offer.
    """
    lock_diary()
    standing: list[str] = []
    for slot in _find(slot_ids):
        stretch = wall_times(slot)
        for closure in db.session.scalars(select(Closure)).all():
            if is_hit(closure, slot):
                if closure.provider_id is None or closure.rule is not None:
                    standing.append(closure.reason)
                else:
                    _cut(closure, *stretch)
        db.session.flush()
    changes = open_slots()
    still = [slot for slot in _find(slot_ids) if not slot.offered]
    return changes, list(dict.fromkeys(standing)) or (["not in the availability"] if still else [])


@transactional
def close_time_of(slot_id: int, reason: str) -> None:
    """Close the time of a free slot, unless it is closed already.

    One that is offered stands alone in its time, so only it is withdrawn.
    """
    lock_diary()
    slot = db.session.get_one(Slot, slot_id, populate_existing=True)
    closure = Closure(**_time_of(slot), reason=reason)
    if slot.offered:
        slot.offered = False
        add_closures(closure)
    elif not any(is_hit(closed, slot) for closed in db.session.scalars(select(Closure))):
        close(closure)


@transactional
def reopen_time_of(slot_id: int, reason: str) -> None:
    """Take back what `close_time_of` has done; nothing where that stands no more."""
    time = _time_of(db.session.get_one(Slot, slot_id))
    for closure in db.session.scalars(select(Closure).filter_by(**time, reason=reason)):
        reopen(closure.id)


def _time_of(slot: Slot) -> dict[str, Any]:
    starts, ends = wall_times(slot)
    return {"provider_id": slot.provider_id, "location_id": slot.location_id, "starts": starts, "ends": ends}


def _find(slot_ids: Collection[int]) -> Sequence[Slot]:
    return db.session.scalars(
        select(Slot)
        .where(Slot.id.in_(slot_ids), Slot.starts_at > clock.now())
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.provider_id, Slot.location_id, Slot.starts_at)
        .execution_options(populate_existing=True)
    ).all()


def _closures(slots: Sequence[Slot], reason: str) -> Iterator[Closure]:
    for (provider_id, location_id), group in groupby(slots, lambda slot: (slot.provider_id, slot.location_id)):
        for starts, ends in _joined(list(group)):
            yield Closure(provider_id=provider_id, location_id=location_id, starts=starts, ends=ends, reason=reason)


def _joined(slots: list[Slot]) -> list[tuple[datetime, datetime]]:
    """The stretches of these times; times with nothing but their buffers between them are one."""
    stretches: list[tuple[datetime, datetime]] = []
    for before, slot in zip([None, *slots], slots, strict=False):
        starts, ends = wall_times(slot)
        if before is not None and before.reserved_until >= slot.reserved_from:
            starts = stretches.pop()[0]
        stretches.append((starts, ends))
    return stretches


def _cut(closure: Closure, starts: datetime, ends: datetime) -> None:
    """Take a stretch out of a closure; what is left before and after it stays closed."""
    audit.services.record("reopened", f"closure:{closure.id}", begins=f"{starts:%Y-%m-%d %H:%M}")
    if closure.ends > ends:
        values = {name: getattr(closure, name) for name in ("provider_id", "location_id", "ends", "reason")}
        db.session.add(Closure(**values, starts=ends))
    if closure.starts < starts:
        closure.ends = starts
    else:
        db.session.delete(closure)
