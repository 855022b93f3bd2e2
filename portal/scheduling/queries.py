"""What pages ask of the clinic's set-up and of the diary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import and_, bindparam, case, func, or_, select, text
from sqlalchemy.orm import joinedload

from portal.core import clock
from portal.core.db import db
from portal.scheduling.models import (
    CAN_BE_OFFERED,
    Availability,
    Clinic,
    Closure,
    Location,
    Provider,
    Slot,
    SlotState,
    VisitType,
)
from portal.scheduling.openings import concerns, covers
from portal.scheduling.set_up import NoClinic as NoClinic
from portal.scheduling.set_up import get_set_up

DAY = timedelta(days=1)
WITHDRAWN = "withdrawn"  # beside the states of a slot: nobody can have it
MOST_PAST = 100  # of what is over, on a page
# Built once: it is asked on each page of a booking.
HELD_SLOT = select(Slot).where(
    Slot.held_by == bindparam("holder"), Slot.state == SlotState.HELD, Slot.held_until > bindparam("now")
)
WITH_SURROUNDINGS = (joinedload(Slot.provider), joinedload(Slot.location), joinedload(Slot.visit_type))
SLOT = select(Slot).where(Slot.id == bindparam("slot_id")).options(*WITH_SURROUNDINGS)


def get_clinic() -> Clinic:
    """The clinic. Raises NoClinic on an empty database."""
    clinic = db.session.get(Clinic, 1)
    if clinic is None:
        raise NoClinic
    db.session.info["clinic"] = clinic  # a session forgets what nobody holds, and would ask again
    return clinic


def list_locations() -> Sequence[Location]:
    """The places in use, by name."""
    return db.session.scalars(select(Location).where(Location.active).order_by(Location.name)).all()


def get_zone() -> ZoneInfo:
    """The clinic's own clocks: those of its oldest place in use, whatever opens later; UTC before there is one."""
    try:
        places = get_set_up().locations
    except NoClinic:
        places = []
    return min(places, key=attrgetter("id")).zone if places else ZoneInfo("UTC")


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


def list_visit_types() -> Sequence[VisitType]:
    """The types of visit in use, by name."""
    return db.session.scalars(select(VisitType).where(VisitType.active).order_by(VisitType.name)).all()


def list_types_of(codes: Collection[str]) -> Sequence[VisitType]:
    """The types of visit with these codes, in use or not."""
    return db.session.scalars(select(VisitType).where(VisitType.code.in_(codes)).order_by(VisitType.name)).all()


def get_visit_type(code: str) -> VisitType | None:
    """The type of visit with that code, when it is in use."""
    return db.session.scalar(select(VisitType).where(VisitType.code == code, VisitType.active))


def get_slot(slot_id: int) -> Slot | None:
    """A slot with its clinician, place and kind of visit, whatever its state."""
    return db.session.scalar(SLOT, {"slot_id": slot_id})


def find_visit_type(type_id: int) -> VisitType:
    """The type of visit of that id, from the set-up: to read only."""
    return get_set_up().all_types.get(type_id) or db.session.get_one(VisitType, type_id)  # if added a moment ago


def find_time_now() -> Slot | None:
    """The time of today, offered or taken, that runs now or else begins next: there somebody sees people."""
    now = clock.now()
    slot = db.session.scalar(
        select(Slot)
        .where(Slot.day.between(now.date() - DAY, now.date() + DAY))  # by which there is an index
        .where(Slot.ends_at > now, or_(Slot.offered, Slot.state == SlotState.BOOKED))
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at, Slot.id)
        .limit(1)
    )
    return slot if slot and slot.day == clock.today(slot.location.zone) else None


def find_freed_slots(by: datetime | None = None) -> Sequence[Slot]:
    """The slots to come that a visit has left, by that moment or by now, and nobody has claimed yet; soonest first."""
    return db.session.scalars(
        select(Slot)
        .where(Slot.freed_at <= (by or clock.now()), text(CAN_BE_OFFERED.text))
        .where(Slot.can_be_claimed(None, clock.now(), clock.now() + get_clinic().minimum_notice))
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    ).all()


def count_slots_to_come() -> Counter[str]:
    """How many slots to come are free, held, booked, or withdrawn: closed, or not offered any more.

    A hold that is over holds nothing.
    """
    now = clock.now()
    state = case(
        (Slot.state == SlotState.BOOKED, SlotState.BOOKED.value),
        (Slot.held_until > now, SlotState.HELD.value),
        (Slot.offered, SlotState.FREE.value),
        else_=WITHDRAWN,
    )
    counts = db.session.execute(select(state, func.count()).where(Slot.starts_at > now).group_by(state)).all()
    return Counter(dict.fromkeys([*map(str, SlotState), WITHDRAWN], 0) | dict(counts))


def is_guarded() -> bool:
    """Whether the database itself lets no two slots of a clinician overlap, as migration 0007 has taught it."""
    guards = {
        "sqlite": "sqlite_master WHERE type = 'trigger' AND tbl_name = 'slot' AND name LIKE 'slot_no_overlap_%'",
        "postgresql": "pg_constraint WHERE conname = 'ex_slot_no_overlap' AND conrelid = 'slot'::regclass",
    }
    found = guards[db.session.get_bind().dialect.name]
    return bool(db.session.scalar(text(f"SELECT count(*) FROM {found}")))  # noqa: S608 - our own words


def get_held_slot(holder: UUID | None) -> Slot | None:
    """The slot that this holder has now, if there is one."""
    return db.session.scalar(HELD_SLOT, {"holder": holder, "now": clock.now()}) if holder else None


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
    return db.session.get(Availability, availability_id)


def find_slots_hit(closures: Sequence[Closure]) -> list[list[Slot]]:
    """For each closure the slots to come that are booked and lie in its time, soonest first."""
    now = clock.now()
    booked = db.session.scalars(
        select(Slot)
        .where(Slot.state == SlotState.BOOKED, Slot.starts_at > now)
        .where(Slot.day >= now.date() - timedelta(days=1))  # by which there is an index
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    ).all()
    return [[slot for slot in booked if is_hit(closure, slot)] for closure in closures]


def is_hit(closure: Closure, slot: Slot) -> bool:
    """Whether a slot lies in a closed time of its clinician and place."""
    return concerns(closure, slot.provider_id, slot.location_id) and covers(closure, *wall_times(slot))


def wall_times(slot: Slot) -> tuple[datetime, datetime]:
    """When a slot begins and ends by the clocks of its place."""
    zone = slot.location.zone
    return slot.starts_at.astimezone(zone).replace(tzinfo=None), slot.ends_at.astimezone(zone).replace(tzinfo=None)
