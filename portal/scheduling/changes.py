"""Closures and availability, changed at the desk: the diary follows at once, in the same transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from pydantic_core import to_jsonable_python
from sqlalchemy import select, update

from portal import audit
from portal.core import clock
from portal.core.db import db, look_ahead, transactional
from portal.core.edits import Values, check_unchanged
from portal.scheduling.models import Availability, Clinic, Closure, Slot, SlotState
from portal.scheduling.queries import WITH_SURROUNDINGS, is_hit
from portal.scheduling.remake import Changes, open_slots
from portal.scheduling.services import GIVEN_BACK

EDITABLE = [column.key for column in Availability.__table__.columns if column.key != "id"]

_after_closing: dict[str, Callable[[], None]] = {}


def do_after_closing(act: Callable[[], None]) -> None:
    """Let a feature act, in the same transaction, on a closure that has ended holds."""
    _after_closing[act.__qualname__] = act


@transactional
def close(*closures: Closure) -> Changes:
    """Close times: what is free in them is withdrawn, holds in them end, visits stay and are listed as hit.

    Twice is once: an equal closure that stands already is that one.
    """
    lock_diary()
    add_closures(*(closure for closure in closures if not _stands(closure)))
    held = db.session.scalars(
        select(Slot).where(Slot.state == SlotState.HELD, Slot.starts_at > clock.now()).options(*WITH_SURROUNDINGS)
    )
    lost = [slot.id for slot in held if any(is_hit(closure, slot) for closure in closures)]
    end_holds = update(Slot).where(Slot.id.in_(lost), Slot.state == SlotState.HELD).values(**GIVEN_BACK)
    db.session.execute(end_holds.execution_options(synchronize_session=False))
    changes = open_slots()
    for act in _after_closing.values():
        act()
    return changes


def add_closures(*closures: Closure) -> None:
    """Store closures, within the running transaction; the diary does not follow by itself."""
    db.session.add_all(closures)
    db.session.flush()
    for closure in closures:
        audit.services.record("closed", f"closure:{closure.id}")


@transactional
def reopen(closure_id: int) -> Changes:
    """Take a closure back: its times are offered again. Raises LookupError when there is none."""
    lock_diary()
    closure = db.session.get(Closure, closure_id, populate_existing=True)
    if closure is None:
        raise LookupError(closure_id)
    db.session.delete(closure)
    db.session.flush()
    audit.services.record("reopened", f"closure:{closure_id}")
    return open_slots()


@transactional
def save_availability(availability: Availability) -> Changes:
    """Store new or changed availability. Twice is once: equal availability that stands already is that one."""
    lock_diary()
    if availability not in db.session and _stands(availability):
        return open_slots()
    db.session.add(availability)
    db.session.flush()
    audit.services.record("availability-saved", f"availability:{availability.id}", rule=availability.rule)
    return open_slots()


def read_availability(availability: Availability) -> Values:
    """What can be edited of it, as JSON."""
    values: Values = to_jsonable_python({name: getattr(availability, name) for name in EDITABLE})
    return values


@transactional
def replace_availability(availability_id: int, new: Availability, seen: Values) -> Changes:
    """Offer other times from the new first day on, and the old ones until the day before.

    Raises LookupError when there are none, and ChangedMeanwhile.
    """
    old = _lock(availability_id, seen)
    if new.valid_from > old.valid_from:
        day_before = new.valid_from - timedelta(days=1)
        old.valid_until = min(old.valid_until or day_before, day_before)
        audit.services.record("availability-ended", f"availability:{old.id}", last=old.valid_until.isoformat())
        return save_availability(new)
    for name in EDITABLE:
        setattr(old, name, getattr(new, name))
    return save_availability(old)


@transactional
def end_availability(availability_id: int, last: date, seen: Values) -> Changes:
    """Offer these times until that day and not after. Raises LookupError when there are none, and ChangedMeanwhile."""
    availability = _lock(availability_id, seen)
    availability.valid_until = last
    db.session.flush()
    audit.services.record("availability-ended", f"availability:{availability_id}", last=last.isoformat())
    return open_slots()


def lock_diary() -> None:
    """Let nobody else change what the diary offers until the transaction ends."""
    db.session.get(Clinic, 1, with_for_update=True, populate_existing=True)


def _lock(availability_id: int, seen: Values) -> Availability:
    """Availability to be changed, locked. Raises LookupError, and ChangedMeanwhile when it is not as `seen`."""
    of_it = {"of": Availability}  # and not of the clinician, the place and the type that are read with it
    found = db.session.get(Availability, availability_id, with_for_update=of_it, populate_existing=True)
    if found is None:
        raise LookupError(availability_id)
    check_unchanged(seen, read_availability(found))
    return found


def _stands(new: Availability | Closure) -> bool:
    """Whether there is one of that kind with all the same values."""
    kind = type(new)
    values = {column.key: getattr(new, column.key) for column in kind.__table__.columns if column.key != "id"}
    return db.session.scalar(select(kind.id).filter_by(**values).limit(1)) is not None


def preview(change: Callable[[], Changes]) -> Changes:
    """What a change would do to the diary: it is done, looked at, and undone; without what is so already.

    What would have been done anyway, and would not be then, is not counted below none.
    """
    before, after = look_ahead(open_slots), look_ahead(change)
    return Changes(
        max(after.made - before.made, 0),
        max(after.withdrawn - before.withdrawn, 0),
        after.skipped - before.skipped,
        after.refused - before.refused,
        max(after.clashes - before.clashes, 0),
    )
