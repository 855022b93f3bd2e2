"""The earlier-slot list: a time that a visit leaves is offered to one person after the other, each with a hold."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import contains_eager, joinedload

from portal import audit
from portal.booking import links
from portal.booking.models import Appointment, Offer, OfferState, Status, WaitlistEntry
from portal.booking.queries import find_offer, get_entry
from portal.booking.wishes import Wishes
from portal.core import allowed, clock
from portal.core.crypto import new_token, token_hash
from portal.core.db import db, insert_once, lock, transactional
from portal.core.limits import TooMany, mailbox_key, spend
from portal.notifications.services import UNDO_WINDOW, queue_mail
from portal.scheduling.models import Clinic, Slot
from portal.scheduling.queries import find_freed_slots, get_clinic, get_slot
from portal.scheduling.services import SlotTaken, hold_slot, release_holds

SHORTEST_ANSWER = timedelta(minutes=15)
OF_A_VISIT = (
    joinedload(Appointment.patient),
    joinedload(Appointment.visit_type),
    joinedload(Appointment.slot).joinedload(Slot.location),
)
LANES = ("consult", "self_care")  # who comes first; within a lane who should be seen promptly, then who waited longest


class CannotAnswer(Exception):
    """No mail reaches the visit's patient, or the link in it would open nothing: nothing was offered."""


@transactional
def join(appointment_id: UUID, wishes: Wishes) -> None:
    """Put a visit on the list or change its wishes; its place by waiting time stays."""
    _lock_visit(appointment_id)
    entry = get_entry(appointment_id)
    if entry is None or entry.closed_at is not None:
        entry = entry or WaitlistEntry(appointment_id=appointment_id)
        entry.joined_at, entry.closed_at = clock.now(), None
        audit.services.record("waitlist-joined", f"appointment:{appointment_id}")
    entry.wishes = wishes.to_json()
    db.session.add(entry)


@transactional
def close(appointment_id: UUID) -> None:
    """Take a visit off the list; a time that is offered to it goes to the next."""
    _lock_visit(appointment_id)
    entry = get_entry(appointment_id)
    if entry is None or entry.closed_at is not None:
        return
    entry.closed_at = clock.now()
    audit.services.record("waitlist-left", f"appointment:{appointment_id}")
    end_offers(appointment_id)


@transactional
def take_up_again(appointment_id: UUID, left_since: datetime) -> None:
    """Give a visit that left the list then or later its place back, with all the time that it has waited."""
    entry = get_entry(appointment_id)
    if entry is not None and entry.closed_at is not None and entry.closed_at >= left_since:
        entry.closed_at = None
        audit.services.record("waitlist-rejoined", f"appointment:{appointment_id}")


@transactional
def end_offers(appointment_id: UUID, not_before: datetime | None = None) -> None:
    """End what is open to a visit, or what is no earlier than that any more; the times go to the next."""
    mine = select(Offer).join(Offer.entry).join(Offer.slot).where(WaitlistEntry.appointment_id == appointment_id)
    for offer in db.session.scalars(mine.where(Offer.state == OfferState.OPEN)).all():
        if not_before is None or offer.slot.starts_at > not_before:
            _end(offer, OfferState.DECLINED)


@transactional
def decline(token: str) -> Offer:
    """Keep the visit as it is and the place on the list; the time goes to the next. Raises LookupError."""
    offer = get_for_answer(token)
    if offer.state == OfferState.OPEN:
        _end(offer, OfferState.DECLINED)
    return offer


@transactional
def tend() -> int:
    """What the worker does every minute: end the offers whose time is up, offer what is free; returns how many.

    A time waits until whatever has freed it can no longer be undone by staff without anybody hearing of it.
    """
    up = select(Offer).where(Offer.state == OfferState.OPEN, Offer.answer_by <= clock.now()).with_for_update()
    for offer in db.session.scalars(up.execution_options(populate_existing=True)).all():
        _end(offer, OfferState.LAPSED)
    if db.session.get(Clinic, 1) is None:
        return 0
    return sum(offer_slot(slot.id) for slot in find_freed_slots(by=clock.now() - UNDO_WINDOW))


@transactional
def end_lost_offers() -> None:
    """End the open offers whose time is not held for them any more, because it was closed."""
    lost = select(Offer).join(Offer.slot).where(Offer.state == OfferState.OPEN, Slot.held_by.is_distinct_from(Offer.id))
    for offer in db.session.scalars(lost.execution_options(populate_existing=True)).all():
        _end(offer, OfferState.LAPSED)


@transactional
def offer_slot(slot_id: int) -> bool:
    """Offer a free slot to the best match on the list who can be told by mail, with a hold; whether there was one."""
    slot = get_slot(slot_id)
    if slot is None or (answer_by := answer_time(slot, get_clinic())) is None:
        return False
    try:
        return any(_offer(slot, e, answer_by) for e in rank_matches(slot) if can_answer(e.appointment))
    except SlotTaken:
        return False


@transactional
def offer_to(slot_id: int, entry_id: UUID) -> None:
    """Offer a free slot to somebody whom the desk has chosen.

    Raises SlotTaken when that cannot be (any more), CannotAnswer.
    """
    slot, entry = get_slot(slot_id), db.session.get(WaitlistEntry, entry_id)
    if slot is None or entry is None or entry not in rank_matches(slot):
        raise SlotTaken(slot_id)
    if not can_answer(entry.appointment):
        raise CannotAnswer(entry_id)
    answer_by = answer_time(slot, get_clinic())
    if answer_by is None or not _offer(slot, entry, answer_by):
        raise SlotTaken(slot_id)


def can_answer(visit: Appointment) -> bool:
    """Whether a mail can reach its patient, and the link in it would open."""
    return bool(visit.patient.email) and links.is_live(visit)


def _offer(slot: Slot, entry: WaitlistEntry, answer_by: datetime) -> bool:
    """Hold a slot for somebody who still waits, and say so; False when another was offered a moment ago, or many today.

    Raises SlotTaken.
    """
    if not _still_waits(entry, slot):
        return False
    token, offer_id, email = new_token(), uuid4(), entry.appointment.patient.email
    hold_slot(slot.id, offer_id, until=answer_by)
    try:
        spend((allowed.OFFERS_TO_MAILBOX, mailbox_key(email) if email else None))
    except TooMany:
        release_holds(offer_id)
        return False
    offered = insert_once(
        Offer,
        id=offer_id,
        entry_id=entry.id,
        slot_id=slot.id,
        offered_at=clock.now(),
        answer_by=answer_by,
        token=token,
        token_hash=token_hash(token),
    )
    if not offered:
        release_holds(offer_id)
        return False
    queue_mail("offer", offer_id, 0)
    audit.services.record("offered", f"appointment:{entry.appointment_id}", slot=slot.id)
    return True


def _still_waits(entry: WaitlistEntry, slot: Slot) -> bool:
    """Whether a visit still stands on the list for a time; nothing is done to it until the transaction ends."""
    _lock_visit(entry.appointment_id)
    visit = entry.appointment
    db.session.refresh(entry)
    db.session.refresh(visit)
    return entry.closed_at is None and visit.stands and visit.slot.starts_at > slot.starts_at


def _lock_visit(appointment_id: UUID) -> None:
    lock(select(Appointment.id).where(Appointment.id == appointment_id).with_for_update())


def list_entries() -> list[WaitlistEntry]:
    """Who waits for an earlier time, the most urgent first and then who has waited longest."""
    rows = (
        select(WaitlistEntry)
        .join(WaitlistEntry.appointment)
        .join(Appointment.slot)
        .where(WaitlistEntry.closed_at.is_(None), Appointment.status == Status.BOOKED, Slot.starts_at > clock.now())
        .options(contains_eager(WaitlistEntry.appointment).options(*OF_A_VISIT))
        .order_by(WaitlistEntry.joined_at)
    )
    return sorted(db.session.scalars(rows), key=lambda entry: _urgency(entry.appointment))


def list_open_offers() -> Sequence[Offer]:
    """The offers that wait for an answer, the first to lapse first."""
    rows = (
        select(Offer)
        .where(Offer.state == OfferState.OPEN)
        .options(
            joinedload(Offer.slot).joinedload(Slot.location),
            joinedload(Offer.entry).joinedload(WaitlistEntry.appointment).options(*OF_A_VISIT),
        )
    )
    return db.session.scalars(rows.order_by(Offer.answer_by)).all()


def can_take(offer: Offer) -> bool:
    """Whether the time offered can still take the place of the visit's, unless somebody else has it by now."""
    visit = offer.entry.appointment
    notice = timedelta() if offer.state == OfferState.OPEN else get_clinic().minimum_notice
    return visit.stands and clock.now() + notice <= offer.slot.starts_at < visit.slot.starts_at


def get_for_answer(token: str) -> Offer:
    """The offer that this link answers, locked. Raises LookupError."""
    offer = find_offer(token, for_update=True)
    if offer is None:
        raise LookupError("no such offer")
    return offer


def note_accepted(offer: Offer) -> None:
    """The visit has moved to the time offered: its place on the list has done its work."""
    offer.state, offer.entry.closed_at = OfferState.ACCEPTED, clock.now()
    audit.services.record("offer-accepted", f"appointment:{offer.entry.appointment_id}", slot=offer.slot_id)
    db.session.flush()
    end_offers(offer.entry.appointment_id)


def answer_time(slot: Slot, clinic: Clinic) -> datetime | None:
    """Until when an offer made now can be answered; None in the night, or when there is no time left for it.

    The clock of an offer stands still in the quiet hours of the place.
    """
    now, zone = clock.now(), slot.location.zone
    if _is_quiet(now, zone, clinic):
        return None
    night = _next(clinic.quiet_from, now, zone)
    answer_by = now + timedelta(minutes=clinic.offer_minutes)
    if answer_by > night and clinic.quiet_from != clinic.quiet_until:
        answer_by = _next(clinic.quiet_until, night, zone) + (answer_by - night)
    answer_by = min(answer_by, slot.starts_at - clinic.minimum_notice)
    return answer_by if answer_by - now >= SHORTEST_ANSWER else None


def _is_quiet(moment: datetime, zone: ZoneInfo, clinic: Clinic) -> bool:
    wall, begins, ends = moment.astimezone(zone).time(), clinic.quiet_from, clinic.quiet_until
    return begins <= wall < ends if begins <= ends else wall >= begins or wall < ends


def _next(wall: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The next instant after that one at which the clocks of the zone show that time."""
    local = after.astimezone(zone)
    day = local.date() + timedelta(days=local.time() >= wall)
    return datetime.combine(day, wall, zone).astimezone(after.tzinfo)


def rank_matches(slot: Slot) -> list[WaitlistEntry]:
    """The open entries that this time suits and to whom nothing is offered, the best first."""
    offered = select(Offer.entry_id).where((Offer.slot_id == slot.id) | (Offer.state == OfferState.OPEN))
    rows = (
        select(WaitlistEntry)
        .join(WaitlistEntry.appointment)
        .join(Appointment.slot)
        .where(
            WaitlistEntry.closed_at.is_(None),
            Appointment.status == Status.BOOKED,
            Slot.starts_at > slot.starts_at,
            WaitlistEntry.id.not_in(offered),
        )
        .order_by(WaitlistEntry.joined_at)
    )
    found = [entry for entry in db.session.scalars(rows) if _suits(entry, slot)]
    return sorted(found, key=lambda entry: _urgency(entry.appointment))


def _suits(entry: WaitlistEntry, slot: Slot) -> bool:
    appointment = entry.appointment
    same_kind = appointment.visit_type.kind == slot.visit_type.kind
    return same_kind and appointment.lane in {None, *slot.visit_type.lanes} and Wishes.from_json(entry.wishes).fit(slot)


def _urgency(appointment: Appointment) -> tuple[bool, int]:
    lane = appointment.lane or LANES[0]
    return not appointment.prompt, LANES.index(lane) if lane in LANES else len(LANES)


def _end(offer: Offer, state: OfferState) -> None:
    """End an open offer once: its hold is given back, and the next in line is offered the time."""
    result = db.session.execute(
        update(Offer)
        .where(Offer.id == offer.id, Offer.state == OfferState.OPEN)
        .values(state=state)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    if result.rowcount == 1:
        offer.state = state
        release_holds(offer.id)
        if state == OfferState.LAPSED:
            queue_mail("offer-lapsed", offer.id, 0)
        offer_slot(offer.slot_id)
