"""What pages ask of the clinic's set-up and of the diary."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, or_, select, text, true, tuple_
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import db
from portal.scheduling.models import (
    CAN_BE_OFFERED,
    Availability,
    Clinic,
    Closure,
    Location,
    Mode,
    Provider,
    Slot,
    SlotState,
    VisitType,
)
from portal.scheduling.openings import concerns, covers

NOON = time(12)
DAY = timedelta(days=1)
WITH_SURROUNDINGS = (joinedload(Slot.provider), joinedload(Slot.location), joinedload(Slot.visit_type))


class NoClinic(LookupError):
    """The database holds no clinic yet: load one with `flask clinic load FILE`."""


@dataclass(frozen=True)
class SlotFilter:
    """Which free times somebody wants to see; None or empty means any."""

    mode: Mode | None = None
    location: str | None = None
    provider: str | None = None
    part_of_day: str | None = None  # "morning" or "afternoon", by the clocks of the place
    weekdays: frozenset[int] = frozenset()  # Monday is 0
    day: date | None = None
    since: date | None = None  # this day and later
    kind: str | None = None  # of the visit's type


def get_clinic() -> Clinic:
    """The clinic. Raises NoClinic on an empty database."""
    clinic = db.session.get(Clinic, 1)
    if clinic is None:
        raise NoClinic("load a clinic first: flask clinic load FILE")
    return clinic


def list_locations() -> Sequence[Location]:
    """All places, by name."""
    return db.session.scalars(select(Location).order_by(Location.name)).all()


def get_zone() -> ZoneInfo:
    """The clinic's own clocks: those of its first place, by name; UTC before there is one."""
    places = list_locations()
    return places[0].zone if places else ZoneInfo("UTC")


def list_providers() -> Sequence[Provider]:
    """All clinicians, by name."""
    return db.session.scalars(select(Provider).order_by(Provider.name)).all()


def get_provider(provider_id: int) -> Provider | None:
    """The clinician of that id."""
    return db.session.get(Provider, provider_id) if provider_id < 2**31 else None


def list_specialists_for(pattern: str | None) -> list[Provider]:
    """The clinicians who see that headache pattern, by name; all of them when none is named."""
    return [provider for provider in list_providers() if pattern is None or pattern in provider.sees]


def list_modes() -> list[Mode]:
    """The ways of meeting that can be booked online, in the order of their names."""
    rows = db.session.execute(select(VisitType.mode, VisitType.lanes).distinct())
    return sorted({Mode(mode) for mode, lanes in rows if lanes})


def list_bookable_types(lane: str, kind: str | None = None) -> list[VisitType]:
    """The types of visit that this lane may book online, of one kind or of any."""
    types = db.session.scalars(select(VisitType).order_by(VisitType.id))
    return [type_ for type_ in types if lane in type_.lanes and kind in {None, type_.kind}]


def list_phone_only_types() -> list[VisitType]:
    """The types of visit that nobody can book online; the desk does."""
    return [type_ for type_ in db.session.scalars(select(VisitType).order_by(VisitType.id)) if not type_.lanes]


def list_visit_types() -> Sequence[VisitType]:
    """All types of visit, by name."""
    return db.session.scalars(select(VisitType).order_by(VisitType.name)).all()


def get_visit_type(code: str) -> VisitType | None:
    """The type of visit with that code."""
    return db.session.scalar(select(VisitType).where(VisitType.code == code))


def find_free_slots(wanted: SlotFilter, lane: str, holder: UUID | None = None, limit: int = 60) -> Sequence[Slot]:
    """Free slots that this lane may book, soonest first; those that the holder has count as free."""
    query = select(Slot).where(*_free(wanted, lane, holder)).options(*WITH_SURROUNDINGS)
    return db.session.scalars(query.order_by(Slot.starts_at, Slot.id).limit(limit)).all()


def count_free_by_day(wanted: SlotFilter, lane: str, holder: UUID | None = None) -> dict[date, int]:
    """How many slots are free for this lane on each day that has any."""
    query = select(Slot.day, func.count()).where(*_free(wanted, lane, holder)).group_by(Slot.day)
    return dict(db.session.execute(query).all())


def _free(wanted: SlotFilter, lane: str, holder: UUID | None) -> Iterator[ColumnElement[bool]]:
    types = [t.id for t in list_bookable_types(lane, wanted.kind) if wanted.mode in {None, t.mode}]
    # In these very words, for the databases to see that their index of it serves.
    yield text(CAN_BE_OFFERED.text)  # type: ignore[misc]
    yield Slot.starts_at > clock.now()
    yield Slot.visit_type_id.in_(types)
    yield Slot.can_be_claimed(holder, clock.now(), get_clinic().minimum_notice)
    if wanted.location:
        yield Slot.location_id == select(Location.id).where(Location.code == wanted.location).scalar_subquery()
    if wanted.provider:
        yield Slot.provider_id == select(Provider.id).where(Provider.code == wanted.provider).scalar_subquery()
    if wanted.part_of_day:
        yield Slot.begins < NOON if wanted.part_of_day == "morning" else Slot.begins >= NOON
    if wanted.weekdays:
        yield Slot.day.in_(_days_to_come(wanted.weekdays))
    if wanted.day:
        yield Slot.day == wanted.day
    if wanted.since:
        yield Slot.day >= wanted.since
    if full := _full_days(holder):
        yield tuple_(Slot.provider_id, Slot.day).not_in(full)


def _days_to_come(weekdays: Collection[int]) -> list[date]:
    today = clock.now().date()
    days = (today + DAY * n for n in range(-1, 7 * get_clinic().horizon_weeks + 2))
    return [day for day in days if day.weekday() in weekdays]


def _full_days(holder: UUID | None) -> list[tuple[int, date]]:
    """The days, by clinician, that have all the visits they may have; what the holder has does not count."""
    rows = db.session.execute(select(Provider.id, Provider.daily_cap).where(Provider.daily_cap.is_not(None)))
    caps: dict[int, int] = {provider_id: cap for provider_id, cap in rows if cap is not None}
    if not caps:
        return []
    taken = (
        select(Slot.provider_id, Slot.day, func.count())
        .where(Slot.provider_id.in_(caps), Slot.day >= clock.now().date() - DAY, Slot.is_taken(clock.now()))
        .where(or_(Slot.held_by.is_(None), Slot.held_by != holder) if holder else true())
        .group_by(Slot.provider_id, Slot.day)
    )
    return [(provider_id, day) for provider_id, day, count in db.session.execute(taken) if count >= caps[provider_id]]


def list_free_slots(lane: str, limit: int) -> Sequence[Slot]:
    """The soonest free slots for this lane, for any page that offers a few; none without a clinic."""
    try:
        return find_free_slots(SlotFilter(), lane, limit=limit)
    except NoClinic:
        return []


def get_slot(slot_id: int) -> Slot | None:
    """A slot with its clinician, place and kind of visit, whatever its state."""
    return db.session.get(Slot, slot_id, options=WITH_SURROUNDINGS)


def find_freed_slots() -> Sequence[Slot]:
    """The slots to come that a visit has left and nobody has claimed yet, soonest first."""
    return db.session.scalars(
        select(Slot)
        .where(Slot.freed_at.is_not(None), text(CAN_BE_OFFERED.text))
        .where(Slot.can_be_claimed(None, clock.now(), get_clinic().minimum_notice))
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    ).all()


def get_held_slot(holder: UUID | None) -> Slot | None:
    """The slot that this holder has now, if there is one."""
    return db.session.scalar(
        select(Slot).where(Slot.held_by == holder, Slot.state == SlotState.HELD, Slot.held_until > clock.now())
    )


def list_day_slots(day: date) -> Sequence[Slot]:
    """The slots of that day by the clocks of their place, by clinician and time: what is offered, booked or held."""
    return db.session.scalars(
        select(Slot)
        .join(Slot.provider)
        .where(Slot.day == day, or_(Slot.offered, Slot.is_taken(clock.now())))
        .options(*WITH_SURROUNDINGS)
        .order_by(Provider.name, Slot.starts_at)
    ).all()


def list_closures() -> Sequence[Closure]:
    """The closures that are not over yet, soonest first."""
    yesterday = clock.now().replace(tzinfo=None) - DAY
    coming = or_(
        and_(Closure.rule.is_(None), Closure.ends > yesterday),
        and_(Closure.rule.is_not(None), or_(Closure.until.is_(None), Closure.until >= yesterday.date())),
    )
    return db.session.scalars(select(Closure).where(coming).order_by(Closure.starts, Closure.id)).all()


def list_availability() -> Sequence[Availability]:
    """When clinicians offer what, by clinician and time of day; without what is over."""
    today = clock.now().date()
    return db.session.scalars(
        select(Availability)
        .join(Availability.provider)
        .where(or_(Availability.valid_until.is_(None), Availability.valid_until >= today))
        .order_by(Provider.name, Availability.rule, Availability.opens)
    ).all()


def find_slots_hit(closure: Closure) -> list[Slot]:
    """The slots to come that are booked and lie in a closed time."""
    booked = db.session.scalars(
        select(Slot)
        .where(Slot.state == SlotState.BOOKED, Slot.starts_at > clock.now())
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    )
    return [slot for slot in booked if is_hit(closure, slot)]


def is_hit(closure: Closure, slot: Slot) -> bool:
    """Whether a slot lies in a closed time of its clinician and place."""
    starts, ends = (
        moment.astimezone(slot.location.zone).replace(tzinfo=None) for moment in (slot.starts_at, slot.ends_at)
    )
    return concerns(closure, slot.provider_id, slot.location_id) and covers(closure, starts, ends)
