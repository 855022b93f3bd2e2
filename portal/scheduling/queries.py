"""What pages ask of the clinic's set-up and of the diary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import db
from portal.scheduling.models import Clinic, Location, Mode, Provider, Slot, SlotState, VisitType

NOON = time(12)
DAY = timedelta(days=1)
WIDEST_OFFSET = timedelta(hours=14)  # of any zone from UTC
WITH_SURROUNDINGS = (joinedload(Slot.provider), joinedload(Slot.location), joinedload(Slot.visit_type))


class NoClinic(LookupError):
    """The database holds no clinic yet: load one with `flask clinic load FILE`."""


@dataclass(frozen=True)
class SlotFilter:
    """Which free times somebody wants to see; None means any."""

    mode: Mode | None = None
    location: str | None = None
    provider: str | None = None
    part_of_day: str | None = None  # "morning" or "afternoon", by the clocks of the place


def get_clinic() -> Clinic:
    """The clinic. Raises NoClinic on an empty database."""
    clinic = db.session.get(Clinic, 1)
    if clinic is None:
        raise NoClinic("load a clinic first: flask clinic load FILE")
    return clinic


def list_locations() -> Sequence[Location]:
    """All places, by name."""
    return db.session.scalars(select(Location).order_by(Location.name)).all()


def list_providers() -> Sequence[Provider]:
    """All clinicians, by name."""
    return db.session.scalars(select(Provider).order_by(Provider.name)).all()


def list_specialists_for(pattern: str | None) -> list[Provider]:
    """The clinicians who see that headache pattern, by name; all of them when none is named."""
    return [provider for provider in list_providers() if pattern is None or pattern in provider.sees]


def list_modes() -> list[Mode]:
    """The ways of meeting that can be booked online, in the order of their names."""
    rows = db.session.execute(select(VisitType.mode, VisitType.lanes).distinct())
    return sorted({Mode(mode) for mode, lanes in rows if lanes})


def find_free_slots(wanted: SlotFilter, lane: str, journey_id: UUID | None = None, limit: int = 60) -> list[Slot]:
    """Free slots that this lane may book, soonest first; those held by the journey itself count as free."""
    query = (
        select(Slot)
        .join(Slot.visit_type)
        .where(Slot.can_be_claimed(journey_id, clock.now(), get_clinic().minimum_notice))
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at, Slot.id)
    )
    if wanted.mode:
        query = query.where(VisitType.mode == wanted.mode)
    if wanted.location:
        query = query.where(Slot.location.has(Location.code == wanted.location))
    if wanted.provider:
        query = query.where(Slot.provider.has(Provider.code == wanted.provider))
    with db.session.scalars(query.execution_options(yield_per=limit)) as slots:
        fitting = (s for s in slots if lane in s.visit_type.lanes and _fits_part_of_day(s, wanted.part_of_day))
        return list(islice(fitting, limit))


def list_free_slots(lane: str, limit: int) -> list[Slot]:
    """The soonest free slots for this lane, for any page that offers a few; none without a clinic."""
    try:
        return find_free_slots(SlotFilter(), lane, limit=limit)
    except NoClinic:
        return []


def get_slot(slot_id: int) -> Slot | None:
    """A slot with its clinician, place and kind of visit, whatever its state."""
    return db.session.get(Slot, slot_id, options=WITH_SURROUNDINGS)


def get_held_slot(journey_id: UUID | None) -> Slot | None:
    """The slot that this journey holds now, if it holds one."""
    return db.session.scalar(
        select(Slot).where(Slot.held_by == journey_id, Slot.state == SlotState.HELD, Slot.held_until > clock.now())
    )


def list_day_slots(day: date) -> list[Slot]:
    """All slots that begin on that day by the clocks of their place, by clinician and time."""
    midnight = datetime.combine(day, time.min, UTC)
    found = db.session.scalars(
        select(Slot)
        .join(Slot.provider)
        .where(Slot.starts_at > midnight - WIDEST_OFFSET, Slot.starts_at < midnight + DAY + WIDEST_OFFSET)
        .options(*WITH_SURROUNDINGS)
        .order_by(Provider.name, Slot.starts_at)
    )
    return [slot for slot in found if slot.starts_at.astimezone(slot.location.zone).date() == day]


def _fits_part_of_day(slot: Slot, part_of_day: str | None) -> bool:
    if part_of_day is None:
        return True
    begins: datetime = slot.starts_at.astimezone(slot.location.zone)
    return (begins.time() < NOON) == (part_of_day == "morning")
