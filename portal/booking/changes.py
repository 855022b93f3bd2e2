"""Move, cancel, take up again, switch to a call: what its patient can do to a visit once it is booked.

What a patient changes raises TooMany when there was too much of it today. The desk does the same and more, in
`desk.py`, with the functions at the end.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.booking import waitlist
from portal.booking.announce import announce, announce_restored
from portal.booking.history import find_last_change, note_change, snapshot
from portal.booking.models import Appointment, OfferState, Status
from portal.booking.patients import change_address
from portal.booking.queries import get_for_change
from portal.booking.services import AlreadyBooked, one_of_kind_key, require_only_one
from portal.core import allowed, clock
from portal.core.db import db, transactional
from portal.core.limits import TooMany, mailbox_key, spend
from portal.notifications.models import PROBLEMS, MailState
from portal.notifications.queries import list_mail_about
from portal.notifications.services import send_now
from portal.scheduling.models import Slot, VisitType
from portal.scheduling.queries import get_visit_type
from portal.scheduling.ranges import close_time_of
from portal.scheduling.services import SlotTaken, claim_slot, release_slot
from portal.scheduling.set_up import get_set_up

ATTACK = "attack"
CLOSED_FOR = "Visit cancelled by the clinic"
FIRST_CHANGES = 2  # of a visit, which no other visit's changes refuse; its version is 1 before them


class TooLate(Exception):
    """The visit has begun, is over, is cancelled, or is too near to be changed online."""


def can_change(appointment: Appointment, after: timedelta = timedelta()) -> bool:
    """Whether the visit can be moved or cancelled online, now or after that long.

    It can when it stands and the clinic's cut-off is not reached.
    """
    return appointment.stands and is_before_cutoff(appointment.slot, after)


def is_before_cutoff(slot: Slot, after: timedelta = timedelta()) -> bool:
    """Whether a visit at that time can still be moved or cancelled online, now or after that long."""
    return slot.starts_at - clock.now() - after >= get_set_up().clinic.change_cutoff


def can_undo(appointment: Appointment) -> bool:
    """Whether a visit that its patient cancelled can be taken up again, if its time is still free."""
    by_patient = appointment.status == Status.CANCELLED and not appointment.cancelled_by_us
    return by_patient and appointment.slot.starts_at > clock.now()


def has_attack_help(appointment: Appointment) -> bool:
    """Whether it is the day of the visit, or the cut-off is reached: then a bad day needs a way out."""
    zone = appointment.slot.location.zone
    today = clock.today(zone) == appointment.slot.starts_at.astimezone(zone).date()
    return appointment.stands and (today or not can_change(appointment))


def list_switches(appointment: Appointment) -> list[VisitType]:
    """The types that this visit can become in its own time, such as a call."""
    switches = (get_visit_type(code) for code in appointment.visit_type.switch_to)
    return [visit_type for visit_type in switches if visit_type is not None]


@transactional
def move(appointment_id: UUID, slot_id: int) -> Appointment:
    """Move a visit to a free time: the new one is claimed before the old one is freed; twice is once.

    Raises SlotTaken when the time is gone or is of another kind, TooLate after the cut-off. Then the visit stands.
    """
    appointment = get_for_change(appointment_id)
    if appointment.stands and appointment.slot_id == slot_id:
        return appointment
    if not can_change(appointment):
        raise TooLate(appointment_id)
    return _spend(move_to(appointment, slot_id))


@transactional
def accept_offer(token: str) -> Appointment:
    """Move the visit to the earlier time that was offered; twice is once.

    Raises LookupError for an unknown link, SlotTaken when the time is gone, TooLate when the visit does not stand:
    then the place on the list is kept.
    """
    offer = waitlist.get_for_answer(token)
    appointment = get_for_change(offer.entry.appointment_id)
    if offer.state == OfferState.ACCEPTED:
        return appointment
    if not appointment.stands:
        raise TooLate(appointment.id)
    if appointment.slot_id != offer.slot_id:
        if appointment.slot.starts_at <= offer.slot.starts_at:
            raise SlotTaken(offer.slot_id)  # the visit has become an earlier one in the meantime
        move_to(appointment, offer.slot_id, holder=offer.id)
    waitlist.note_accepted(offer)
    return appointment


@transactional
def cancel(appointment_id: UUID, reason: str) -> Appointment:
    """Cancel a visit and free its slot; twice is once.

    Raises TooLate after the cut-off, but not on a bad day (`ATTACK`).
    """
    appointment = get_for_change(appointment_id)
    if appointment.status == Status.CANCELLED:
        return appointment
    if not (has_attack_help(appointment) if reason == ATTACK else can_change(appointment)):
        raise TooLate(appointment_id)
    return _spend(end(appointment, reason))


def undo_cancel(appointment_id: UUID) -> Appointment:
    """Take the cancelled visit's slot again; twice is once.

    Raises SlotTaken when it is gone, AlreadyBooked when there is another visit of the kind, TooLate when time is up.
    """
    try:
        return _undo_cancel(appointment_id)
    except IntegrityError:
        raise AlreadyBooked from None


@transactional
def _undo_cancel(appointment_id: UUID) -> Appointment:
    appointment = get_for_change(appointment_id)
    if appointment.status == Status.BOOKED:
        return appointment
    if not can_undo(appointment):
        raise TooLate(appointment_id)
    before = snapshot(appointment)
    claim_slot(appointment.slot_id, holder=None, notice=timedelta())  # the clinic had it in its diary till now
    take_up_again(appointment)
    note_change(appointment, "restored", before)
    announce_restored(appointment)
    return _spend(appointment)


@transactional
def switch(appointment_id: UUID, visit_type_code: str) -> Appointment:
    """Let a visit become a call in its own time; twice is once. Raises TooLate, or LookupError for another type."""
    appointment = get_for_change(appointment_id)
    if appointment.visit_type.code == visit_type_code:
        return appointment
    if not has_attack_help(appointment):
        raise TooLate(appointment_id)
    chosen = next((t for t in list_switches(appointment) if t.code == visit_type_code), None)
    if chosen is None:
        raise LookupError(visit_type_code)
    before = snapshot(appointment)
    appointment.visit_type = chosen
    note_change(appointment, "switched", before)
    announce(appointment, "moved")
    return _spend(appointment)


@transactional
def allow_another(appointment_id: UUID) -> None:
    """Let this visit's patient book another of its kind; the desk decides that."""
    get_for_change(appointment_id).one_of_kind = None
    audit.services.record("another-allowed", f"appointment:{appointment_id}")


@transactional
def correct_address(appointment_id: UUID, email: str) -> None:
    """Another e-mail address for the patient of a visit; mail about it that did not arrive is sent there.

    Raises LookupError for a patient who was erased.
    """
    change_address(get_for_change(appointment_id).patient_id, email)
    for mail in list_mail_about(appointment_id):
        if mail.state in PROBLEMS or mail.state == MailState.RETRYING:
            send_now(mail.id)
    audit.services.record("address-corrected", f"appointment:{appointment_id}")


def _spend(appointment: Appointment) -> Appointment:
    """Count a change that the patient has made, which may have caused a mail. Raises TooMany.

    Strangers can fill a mailbox's count: that refuses its owner no cancellation, and no visit's first changes.
    """
    mailbox = mailbox_key(appointment.patient.email) if appointment.patient.email else None
    spend((allowed.CHANGES_OF_VISIT, appointment.id.hex))
    try:
        spend((allowed.CHANGES_FOR_MAILBOX, mailbox))
    except TooMany:
        if appointment.status != Status.CANCELLED and appointment.version > 1 + FIRST_CHANGES:
            raise
    return appointment


def move_to(
    appointment: Appointment, slot_id: int, holder: UUID | None = None, staff_id: int | None = None
) -> Appointment:
    """Move a visit: the new slot is claimed, then the old one is freed. Raises SlotTaken.

    Staff may move it to times that are too near, or not offered online, for the patient.
    """
    if appointment.slot_id == slot_id:
        return appointment
    before = snapshot(appointment)
    notice = None if staff_id is None else timedelta()
    slot = claim_slot(slot_id, holder, notice, leaving=appointment.slot_id)
    suits = staff_id is not None or appointment.lane in {None, *slot.visit_type.lanes}
    if slot.visit_type.kind != appointment.visit_type.kind or not suits:
        raise SlotTaken(slot_id)
    appointment.slot, appointment.visit_type = slot, slot.visit_type
    note_change(appointment, "moved", before, staff_id)
    announce(appointment, "moved", may_undo=staff_id is not None)
    db.session.flush()
    _free(int(before["slot_id"] or 0), staff_id)
    waitlist.end_offers(appointment.id, not_before=slot.starts_at)
    return appointment


def end(appointment: Appointment, reason: str, staff_id: int | None = None) -> Appointment:
    """Cancel a visit: its place on the earlier-slot list is closed, and its slot freed.

    Where we cannot see the patient we can see nobody: then the time is closed.
    """
    before = snapshot(appointment)
    appointment.status, appointment.cancel_reason = Status.CANCELLED, reason
    appointment.one_of_kind = None
    note_change(appointment, "cancelled", before, staff_id)
    announce(appointment, "cancelled", may_undo=staff_id is not None)
    waitlist.close(appointment.id)
    _free(appointment.slot_id, staff_id)
    if appointment.cancelled_by_us:
        close_time_of(appointment.slot_id, CLOSED_FOR)
    return appointment


def _free(slot_id: int, staff_id: int | None) -> None:
    """Give back a slot that a visit leaves; the earlier-slot list is offered at once what its patient has freed."""
    release_slot(slot_id)
    if staff_id is None:  # staff may undo it: what they have freed is offered by `waitlist.tend`, later
        waitlist.offer_slot(slot_id)


def take_up_again(appointment: Appointment) -> None:
    """Let a cancelled visit stand again, in a slot that is claimed for it, with its place on the earlier-slot list.

    Raises AlreadyBooked.
    One that the desk allowed beside another of its kind is allowed beside it again.
    """
    cancelled = find_last_change(appointment)
    key = None
    if cancelled is None or cancelled.before["one_of_kind"] is not None:
        require_only_one(appointment.patient, appointment.visit_type.kind)
        key = one_of_kind_key(appointment.patient, appointment.visit_type.kind)
    appointment.status, appointment.cancel_reason, appointment.one_of_kind = Status.BOOKED, None, key
    if cancelled is not None:
        waitlist.take_up_again(appointment.id, left_since=cancelled.done_at)
