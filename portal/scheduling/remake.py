"""The diary's slots made to fit the set-up: what availability offers is made, what it no longer does is withdrawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import bindparam, select, update

from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import db, run, transactional
from portal.core.rows import read_rows
from portal.scheduling.models import Availability, Clinic, Closure, Provider, Slot, SlotState
from portal.scheduling.openings import Opening, find_openings
from portal.scheduling.queries import NoClinic, get_clinic

Offer = tuple[Availability, Opening]
SHAPE = ("starts_at", "ends_at", "reserved_from", "reserved_until", "location_id", "visit_type_id")
AS_OFFERED = attrgetter(*SHAPE)
# Columns, not slots: a full diary has tens of thousands. Of two alike the last counts: what is offered, else taken.
SLOTS_SINCE = (
    select(Slot.id, Slot.offered, Slot.state, *(getattr(Slot, name) for name in SHAPE))
    .where(Slot.provider_id == bindparam("of_provider"), Slot.reserved_until > bindparam("since", type_=UtcDateTime))
    .order_by(Slot.offered, Slot.state != SlotState.FREE, Slot.id)
)


@dataclass
class Changes:
    """What making the diary fit has done, or would do."""

    made: int = 0
    withdrawn: int = 0
    skipped: Counter[str] = field(default_factory=Counter)  # closed, by the closure's reason
    refused: Counter[str] = field(default_factory=Counter)  # wall times that do not exist
    clashes: int = 0  # times not made, because a visit or another time already stands there


def describe(changes: Changes) -> str:
    """Changes in words, such as "12 slots opened; 2 skipped: Labor Day", or "no slot changed"."""
    if changes == Changes():
        return "no slot changed"
    parts = [f"{_slots(changes.made)} opened"] if changes.made or not changes.withdrawn else []
    if changes.withdrawn:
        parts.append(f"{changes.withdrawn if parts else _slots(changes.withdrawn)} withdrawn")
    parts += [f"{count} skipped: {reason}" for reason, count in changes.skipped.items()]
    parts += [f"{count} refused: {reason}" for reason, count in changes.refused.items()]
    if changes.clashes:
        parts.append(f"{changes.clashes} not opened: a visit or another time stands there")
    return "; ".join(parts)


def describe_done(changes: Changes) -> str:
    """What has changed in the diary, without what is skipped for the same reasons as ever."""
    return describe(Changes(changes.made, changes.withdrawn))


def _slots(count: int) -> str:
    return "1 slot" if count == 1 else f"{count} slots"


def open_slots_if_any() -> int:
    """What the worker does every hour: as `open_slots`, and nothing on a database without a clinic."""
    try:
        return open_slots().made
    except NoClinic:
        return 0


@transactional
def open_slots() -> Changes:
    """Make the diary fit the set-up, from now to the clinic's horizon.

    Doing it again changes nothing. A time that is booked or held keeps its visit or its hold, also when it is
    not offered any more. Raises NoClinic.
    """
    get_clinic()
    # One at a time: two workers must not make the same slots.
    clinic = db.session.get_one(Clinic, 1, with_for_update=True, populate_existing=True)
    changes = Changes()
    closures = db.session.scalars(select(Closure)).all()
    for provider in db.session.scalars(select(Provider)).all():
        offers = _find_offers(provider, closures, timedelta(weeks=clinic.horizon_weeks), changes)
        _fit(provider, offers, changes)
    return changes


def _find_offers(provider: Provider, closures: Sequence[Closure], horizon: timedelta, changes: Changes) -> list[Offer]:
    """What the clinician's availability offers, soonest first."""
    offers: list[Offer] = []
    rows = select(Availability).where(Availability.provider_id == provider.id).order_by(Availability.id)
    for availability in db.session.scalars(rows):
        if not availability.in_use:
            continue
        first = clock.today(availability.location.zone)
        for opening in find_openings(availability, closures, first, first + horizon):
            if isinstance(opening, Opening):
                if opening.starts_at > clock.now():
                    offers.append((availability, opening))
            elif opening.exists:
                changes.skipped[opening.reason] += 1
            else:
                changes.refused[opening.reason] += 1
    return sorted(offers, key=lambda offer: offer[1].starts_at)


def _fit(provider: Provider, offers: list[Offer], changes: Changes) -> None:
    wanted = {_as_wanted(*offer): offer for offer in offers}
    since = min([clock.now(), *(opening.reserved_from for _, opening in offers)])
    slots = _slots_since(provider, since)
    to_come = [slot for slot in slots if slot.starts_at > clock.now()]
    stale = [slot.id for slot in to_come if slot.offered and AS_OFFERED(slot) not in wanted]
    changes.withdrawn += len(stale)
    if _withdraw(provider, stale):
        slots = _slots_since(provider, since)  # who is taken now stays so
    standing = {AS_OFFERED(slot): slot for slot in slots}
    reserved = _Reserved(slot for slot in standing.values() if slot.offered or slot.state != SlotState.FREE)
    again: list[int] = []
    for key, offer in wanted.items():
        slot = standing.get(key)
        if slot is not None and slot.offered:
            continue
        needs_room = slot is None or slot.state == SlotState.FREE  # what is taken stands in its own time already
        if needs_room and not reserved.take(offer[1].reserved_from, offer[1].reserved_until):
            changes.clashes += 1
            continue
        if slot is None:
            db.session.add(_new_slot(*offer))
        else:
            again.append(slot.id)
        changes.made += 1
    _set_offered(again, True)
    db.session.flush()


def _slots_since(provider: Provider, since: datetime) -> list[Any]:
    return read_rows(run(SLOTS_SINCE, of_provider=provider.id, since=since))


def _withdraw(provider: Provider, slot_ids: Sequence[int]) -> bool:
    """Offer these no more; where a hold on a withdrawn slot has run out, it is over. Whether any slot has changed."""
    _set_offered(slot_ids, False)
    lapsed = (Slot.provider_id == provider.id, ~Slot.offered, Slot.held_until <= clock.now())
    over = update(Slot).where(*lapsed).values(state=SlotState.FREE, held_by=None, held_until=None)
    ended = db.session.scalars(over.returning(Slot.id)).all()
    return bool(slot_ids or ended)


def _set_offered(slot_ids: Sequence[int], offered: bool) -> None:
    if slot_ids:
        db.session.execute(update(Slot).where(Slot.id.in_(slot_ids)).values(offered=offered))


def _as_wanted(availability: Availability, opening: Opening) -> tuple[object, ...]:
    times = (opening.starts_at, opening.ends_at, opening.reserved_from, opening.reserved_until)
    return (*times, availability.location_id, availability.visit_type_id)


def _new_slot(availability: Availability, opening: Opening) -> Slot:
    wall = opening.starts_at.astimezone(availability.location.zone)
    return Slot(
        provider_id=availability.provider_id,
        location_id=availability.location_id,
        visit_type_id=availability.visit_type_id,
        day=wall.date(),
        begins=wall.time(),
        **opening.__dict__,
    )


class _Reserved:
    """The stretches of a clinician's time that are spoken for; none overlaps another."""

    def __init__(self, slots: Iterable[Slot]) -> None:
        self._stretches = [(slot.reserved_from, slot.reserved_until) for slot in slots]

    def take(self, begins: datetime, ends: datetime) -> bool:
        """Speak for a stretch unless any of it is taken; whether it was free."""
        if any(other < ends and begins < until for other, until in self._stretches):
            return False
        self._stretches.append((begins, ends))
        return True
