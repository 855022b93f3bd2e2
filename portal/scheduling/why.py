"""Why a time cannot be booked, in words: for a caller who asks, and for the desk that books it nevertheless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import func, select, true

from portal.core import clock
from portal.core.db import db
from portal.core.pages import clock_in_words, day_in_words, long_day_in_words, time_in_words
from portal.scheduling.models import Availability, Closure, Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.openings import Opening, concerns, covers, find_openings, list_days
from portal.scheduling.queries import WITH_SURROUNDINGS, get_clinic

MINUTE = timedelta(minutes=1)
TWO_HOURS = 120  # minutes; fewer are told as minutes


class Stops(StrEnum):
    """Whom a reason stops."""

    EVERYBODY = "everybody"
    WITHOUT_REASON = "without reason"  # the desk can book it, and says why
    ONLINE = "online"  # the desk can book it


@dataclass(frozen=True)
class Reason:
    """Why a time is not bookable."""

    words: str
    stops: Stops = Stops.WITHOUT_REASON


def explain(
    provider: Provider, location: Location, wall: datetime, visit_type: VisitType | None = None
) -> list[Reason]:
    """Why a visit, of any type or of that one, cannot begin at that wall time; no reasons when it can be booked."""
    try:
        starts_at = clock.instant(wall, location.zone)
    except clock.NonexistentTime:
        return [
            Reason(
                f"{_at(wall)} does not exist on {long_day_in_words(wall)}: the clocks go forward then.", Stops.EVERYBODY
            )
        ]
    if starts_at <= clock.now():
        return [Reason("This time has passed.", Stops.EVERYBODY)]
    slot = _find_offered(provider, location, starts_at, visit_type)
    reasons = [] if slot else [*_closed(provider, location, wall), *_not_offered(provider, location, wall, visit_type)]
    reasons += _taken(provider, starts_at, slot.visit_type if slot else visit_type)
    reasons += _full(provider, wall.date())
    if not reasons and slot is None:
        reasons.append(Reason("It is in the set-up but not in the diary yet: the diary is opened anew every hour."))
    return reasons + list(_online_only(slot, starts_at))


def _find_offered(
    provider: Provider, location: Location, starts_at: datetime, visit_type: VisitType | None = None
) -> Slot | None:
    """The time on offer, free or taken, that begins at that instant."""
    return db.session.scalar(
        select(Slot)
        .where(Slot.provider_id == provider.id, Slot.location_id == location.id, Slot.starts_at == starts_at)
        .where(Slot.offered, Slot.visit_type_id == visit_type.id if visit_type else true())
        .options(*WITH_SURROUNDINGS)
    )


def in_the_way(slot: Slot) -> str:
    """What a slot that is taken is, in words, like "a visit from 9:00 am to 9:45 am"."""
    begins, ends = (time_in_words(moment, slot.location.zone) for moment in (slot.starts_at, slot.ends_at))
    if slot.state == SlotState.BOOKED:
        return f"a visit from {begins} to {ends}"
    if slot.held_until is None:  # given back since it was found in the way
        return f"a time from {begins} to {ends} that somebody held until now"
    until = time_in_words(slot.held_until, slot.location.zone)
    return f"a time from {begins} to {ends} that somebody holds until {until}"


def _closed(provider: Provider, location: Location, wall: datetime) -> Iterator[Reason]:
    for closure in db.session.scalars(select(Closure).order_by(Closure.starts)):
        if concerns(closure, provider.id, location.id) and covers(closure, wall, wall + MINUTE):
            yield Reason(f"It is closed then: {closure.reason}.")


def _not_offered(
    provider: Provider, location: Location, wall: datetime, visit_type: VisitType | None
) -> Iterator[Reason]:
    last = clock.today(location.zone) + timedelta(weeks=get_clinic().horizon_weeks)
    if wall.date() > last:
        yield Reason(f"The diary is open until {day_in_words(last)}, {last.year}; this is later.")
    rows = _list_availability(provider, wall.date())
    here = [row for row in rows if row.location_id == location.id]
    if not here:
        elsewhere = sorted({row.location.name for row in rows})
        where = f", but at {' and '.join(elsewhere)}" if elsewhere else ""
        yield Reason(f"{provider.name} sees nobody at {location.name} on {long_day_in_words(wall)}{where}.")
        return
    wanted = [row for row in here if visit_type is None or row.visit_type_id == visit_type.id]
    starts_at = clock.instant(wall, location.zone)
    if all(opening.starts_at != starts_at for opening in _openings(wanted, wall.date())):
        what = f"No {visit_type.name}" if visit_type else "No visit"
        offers = _list_offers(here, wall.date())
        yield Reason(f"{what} begins at {_at(wall)}. {provider.name} offers that day: {offers}.")


def _list_availability(provider: Provider, day: date) -> list[Availability]:
    """What the clinician offers on a day, wherever, before closures."""
    rows = select(Availability).where(Availability.provider_id == provider.id).order_by(Availability.opens)
    found = db.session.scalars(rows).all()
    return [row for row in found if row.in_use and list_days(row.rule, row.valid_from, row.valid_until, day, day)]


def _openings(rows: list[Availability], day: date) -> list[Opening]:
    return [opening for row in rows for opening in find_openings(row, (), day, day) if isinstance(opening, Opening)]


def _list_offers(rows: list[Availability], day: date) -> str:
    """Like "First consult at 9:00 am, 9:45 am and 10:30 am; Follow-up at 1:00 pm"."""
    parts = []
    for row in rows:
        times = [time_in_words(opening.starts_at, row.location.zone) for opening in _openings([row], day)]
        if times:
            parts.append(f"{row.visit_type.name} at {' and '.join(filter(None, (', '.join(times[:-1]), times[-1])))}")
    return "; ".join(parts) or "nothing that fits before it closes"


def _taken(provider: Provider, starts_at: datetime, visit_type: VisitType | None) -> Iterator[Reason]:
    """What stands in that time already, or too near it."""
    lengths = (visit_type.buffer_before, visit_type.minutes, visit_type.buffer_after) if visit_type else (0, 1, 0)
    before, length, after = (timedelta(minutes=minutes) for minutes in lengths)
    ends_at = starts_at + length
    taken = db.session.scalars(
        select(Slot)
        .where(Slot.provider_id == provider.id, Slot.is_taken(clock.now()))
        .where(Slot.reserved_from < ends_at + after, Slot.reserved_until > starts_at - before)
        .options(*WITH_SURROUNDINGS)
        .order_by(Slot.starts_at)
    )
    for slot in taken:
        overlaps = slot.starts_at < ends_at and slot.ends_at > starts_at
        verb = "has" if overlaps else "needs this time before or after"
        yield Reason(f"{provider.name} {verb} {in_the_way(slot)}.", Stops.EVERYBODY)


def _full(provider: Provider, day: date) -> Iterator[Reason]:
    if provider.daily_cap is None:
        return
    on_day = (Slot.provider_id == provider.id, Slot.day == day, Slot.is_taken(clock.now()))
    count = db.session.scalar(select(func.count()).select_from(Slot).where(*on_day)) or 0
    if count >= provider.daily_cap:
        yield Reason(f"The day is full: {provider.name} sees {provider.daily_cap} at most.")


def _online_only(slot: Slot | None, starts_at: datetime) -> Iterator[Reason]:
    clinic = get_clinic()
    if starts_at < clock.now() + clinic.minimum_notice:
        minutes = clinic.minimum_notice_minutes
        notice = f"{minutes} minutes" if minutes < TWO_HOURS else f"{minutes / 60:g} hours"
        yield Reason(f"Patients book online up to {notice} before; this is nearer. The desk can book it.", Stops.ONLINE)
    if slot is not None and not slot.visit_type.lanes:
        yield Reason(f"{slot.visit_type.name} is not offered online. The desk can book it.", Stops.ONLINE)


def _at(wall: datetime) -> str:
    return clock_in_words(time(wall.hour, wall.minute))
