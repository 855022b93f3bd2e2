"""What pages ask of the clinic's set-up and of the diary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select, text, true, tuple_
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
MOST_PAST = 100  # of what is over, on a page
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
    visit_type: str | None = None


def get_clinic() -> Clinic:
    """The clinic. Raises NoClinic on an empty database."""
    clinic = db.session.get(Clinic, 1)
    if clinic is None:
        raise NoClinic("load a clinic first: flask clinic load FILE")
    db.session.info["clinic"] = clinic  # the session alone would forget it between two questions
    return clinic


def list_locations() -> Sequence[Location]:
    """The places in use, by name."""
    return db.session.scalars(select(Location).where(Location.active).order_by(Location.name)).all()


def get_zone() -> ZoneInfo:
    """The clinic's own clocks: those of its first place, by name; UTC before there is one."""
    places = list_locations()
    return places[0].zone if places else ZoneInfo("UTC")


def list_providers() -> Sequence[Provider]:
    """The clinicians who see people, by name."""
    return db.session.scalars(select(Provider).where(Provider.active).order_by(Provider.name)).all()


def list_digest_readers() -> Sequence[Provider]:
    """The clinicians with an e-mail address; of who sees nobody new any more, visits may be left."""
    return db.session.scalars(select(Provider).where(Provider.email.is_not(None)).order_by(Provider.name)).all()


def find_provider(code: str) -> Provider | None:
    """The clinician with that code."""
    return db.session.scalar(select(Provider).where(Provider.code == code))


def find_location(code: str) -> Location | None:
    """The place with that code."""
    return db.session.scalar(select(Location).where(Location.code == code))


def get_provider(provider_id: int) -> Provider | None:
    """The clinician of that id."""
    return db.session.get(Provider, provider_id) if provider_id < 2**31 else None


def list_specialists_for(pattern: str | None) -> list[Provider]:
    """The clinicians who see that headache pattern, by name; all of them when none is named."""
    return [provider for provider in list_providers() if pattern is None or pattern in provider.sees]


def list_modes() -> list[Mode]:
    """The ways of meeting that can be booked online, in the order of their names."""
    rows = db.session.execute(select(VisitType.mode, VisitType.lanes).where(VisitType.active).distinct())
    return sorted({Mode(mode) for mode, lanes in rows if lanes})


def list_bookable_types(lane: str | None, kind: str | None = None) -> list[VisitType]:
    """The types of visit that this lane may book online, of one kind or of any; the desk, without a lane, books all."""
    types = db.session.scalars(select(VisitType).where(VisitType.active).order_by(VisitType.id))
    return [type_ for type_ in types if lane in {None, *type_.lanes} and kind in {None, type_.kind}]


def list_phone_only_types() -> list[VisitType]:
    """The types of visit that nobody can book online; the desk does."""
    types = db.session.scalars(select(VisitType).where(VisitType.active).order_by(VisitType.id))
    return [type_ for type_ in types if not type_.lanes]


def list_visit_types() -> Sequence[VisitType]:
    """The types of visit in use, by name."""
    return db.session.scalars(select(VisitType).where(VisitType.active).order_by(VisitType.name)).all()


def get_visit_type(code: str) -> VisitType | None:
    """The type of visit with that code, when it is in use."""
    return db.session.scalar(select(VisitType).where(VisitType.code == code, VisitType.active))


def find_free_slots(
    wanted: SlotFilter, lane: str | None, holder: UUID | None = None, limit: int = 60
) -> Sequence[Slot]:
    """Free slots that this lane may book, soonest first; those that the holder has count as free.

    Without a lane it is the desk that asks, which books all types, and times too near to be booked online.
    """
    query = select(Slot).where(*_free(wanted, lane, holder)).options(*WITH_SURROUNDINGS)
    return db.session.scalars(query.order_by(Slot.starts_at, Slot.id).limit(limit)).all()


def count_free_by_day(wanted: SlotFilter, lane: str, holder: UUID | None = None) -> dict[date, int]:
    """How many slots are free for this lane on each day that has any."""
    query = select(Slot.day, func.count()).where(*_free(wanted, lane, holder)).group_by(Slot.day)
    return dict(db.session.execute(query).all())


def _free(wanted: SlotFilter, lane: str | None, holder: UUID | None) -> Iterator[ColumnElement[bool]]:
    types = [
        t.id
        for t in list_bookable_types(lane, wanted.kind)
        if wanted.mode in {None, t.mode} and wanted.visit_type in {None, t.code}
    ]
    notice = timedelta() if lane is None else get_clinic().minimum_notice
    # In these very words, for the databases to see that their index of it serves.
    yield text(CAN_BE_OFFERED.text)  # type: ignore[misc]
    yield Slot.starts_at > clock.now()
    yield Slot.visit_type_id.in_(types)
    yield Slot.can_be_claimed(holder, clock.now(), notice)
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


def count_slots_to_come() -> Counter[str]:
    """How many slots to come are free, held, booked or blocked; a hold that is over counts as free."""
    now = clock.now()
    over = and_(Slot.state == SlotState.HELD, Slot.held_until <= now)
    state = case((over, SlotState.FREE.value), else_=Slot.state)
    counts = db.session.execute(select(state, func.count()).where(Slot.starts_at > now).group_by(state)).all()
    return Counter({state.value: 0 for state in SlotState} | dict(counts))


def get_held_slot(holder: UUID | None) -> Slot | None:
    """The slot that this holder has now, if there is one."""
    return db.session.scalar(
        select(Slot).where(Slot.held_by == holder, Slot.state == SlotState.HELD, Slot.held_until > clock.now())
    )


def list_closures() -> Sequence[Closure]:
    """The closures that are not over yet, soonest first."""
    yesterday = clock.now().replace(tzinfo=None) - DAY
    coming = or_(
        and_(Closure.rule.is_(None), Closure.ends > yesterday),
        and_(Closure.rule.is_not(None), or_(Closure.until.is_(None), Closure.until >= yesterday.date())),
    )
    return db.session.scalars(select(Closure).where(coming).order_by(Closure.starts, Closure.id)).all()


def list_past_closures() -> Sequence[Closure]:
    """The closures that are over, the latest first."""
    coming = [closure.id for closure in list_closures()]
    past = select(Closure).where(Closure.id.not_in(coming)).order_by(Closure.starts.desc(), Closure.id)
    return db.session.scalars(past.limit(MOST_PAST)).all()


def list_availability() -> Sequence[Availability]:
    """When clinicians offer what, by clinician and time of day; without what is over."""
    return _list_availability(over=False)


def list_past_availability() -> Sequence[Availability]:
    """What was offered once and is over."""
    return _list_availability(over=True)


def _list_availability(over: bool) -> Sequence[Availability]:
    ended = and_(Availability.valid_until.is_not(None), Availability.valid_until < clock.now().date())
    rows = select(Availability).join(Availability.provider).where(ended if over else ~ended)
    return db.session.scalars(rows.order_by(Provider.name, Availability.rule, Availability.opens)).all()


def get_availability(availability_id: int) -> Availability | None:
    """The availability of that id."""
    return db.session.get(Availability, availability_id) if availability_id < 2**31 else None


def find_slots_hit(closures: Sequence[Closure]) -> list[list[Slot]]:
    """For each closure the slots to come that are booked and lie in its time, soonest first."""
    booked = db.session.scalars(
        select(Slot)
        .where(Slot.state == SlotState.BOOKED, Slot.starts_at > clock.now())
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    ).all()
    return [[slot for slot in booked if is_hit(closure, slot)] for closure in closures]


def is_hit(closure: Closure, slot: Slot) -> bool:
    """Whether a slot lies in a closed time of its clinician and place."""
    starts, ends = (
        moment.astimezone(slot.location.zone).replace(tzinfo=None) for moment in (slot.starts_at, slot.ends_at)
    )
    return concerns(closure, slot.provider_id, slot.location_id) and covers(closure, starts, ends)
