"""What staff do to a visit. Each change names the version they looked at, and can be undone while it is the last."""

from __future__ import annotations

from collections.abc import Callable, Set
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.booking import links, waitlist
from portal.booking.announce import announce_restored
from portal.booking.changes import CLOSED_FOR, end, move_to, take_up_again
from portal.booking.history import (
    Before,
    find_last_change,
    list_notes,
    note_change,
    read_moment,
    snapshot,
)
from portal.booking.models import Appointment, Status, VisitChange, VisitNote
from portal.booking.queries import get_for_change, get_request
from portal.booking.requests import BOOKED, note_not_booked, reopen, settle
from portal.booking.services import AlreadyBooked
from portal.core import clock
from portal.core.db import db, transactional
from portal.notifications.queries import may_have_heard
from portal.notifications.services import UNDO_WINDOW, supersede_mail
from portal.referrals.services import Reached, reach, take_back
from portal.scheduling.models import Slot, VisitType
from portal.scheduling.ranges import reopen_time_of
from portal.scheduling.services import claim_time, release_slot

# From which states a visit comes to each one; the first three also say that somebody is, or was, here.
STEPS: dict[Status, Set[Status]] = {
    Status.ARRIVED: frozenset({Status.BOOKED}),
    Status.CHECKED_IN: frozenset({Status.BOOKED, Status.ARRIVED}),
    Status.FULFILLED: frozenset({Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN}),
    Status.NOSHOW: frozenset({Status.BOOKED, Status.ARRIVED}),
}
HERE = frozenset({Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED})
CANNOT_BE_UNDONE = frozenset({"restored", "undone"})


class Outdated(Exception):
    """Somebody has changed the visit since it was looked at: nothing was done."""


class NotPossible(Exception):
    """The visit's state, or the time that it is, does not allow this: nothing was done."""


class PersonErased(Exception):
    """The visit's patient was erased: nothing is written about nobody, and nothing was done."""


def list_steps(appointment: Appointment) -> list[Status]:
    """The states that the desk can bring a visit to now."""
    return [status for status in STEPS if _can_step(appointment, status)]


def can_change(appointment: Appointment) -> bool:
    """Whether the desk can move or cancel the visit: it stands, and nobody has come to it."""
    return appointment.status == Status.BOOKED


def can_undo(appointment: Appointment, change: VisitChange) -> bool:
    """Whether a change of the visit can be undone: staff made it, it is the last one, and nobody counts on it."""
    return _is_last(appointment, change) and not _is_counted_on(appointment, change)


@transactional
def set_status(appointment_id: UUID, version: int, status: Status, staff_id: int) -> Appointment:
    """Note that the patient has come, is in the room, has been seen, or did not come; twice is once.

    Raises Outdated, NotPossible.
    """
    appointment = get_for_change(appointment_id)
    if _has_done(staff_id, status.value, appointment, version):
        return appointment
    _check_as_seen(appointment, version)
    if not _can_step(appointment, status):
        raise NotPossible(status)
    before, now = snapshot(appointment), clock.now()
    appointment.status = status
    if status in HERE:
        appointment.arrived_at = appointment.arrived_at or now
        _note_attended(appointment)
    if status == Status.CHECKED_IN:
        appointment.roomed_at = now
    note_change(appointment, status.value, before, staff_id)
    return appointment


@transactional
def move(appointment_id: UUID, version: int, slot_id: int, staff_id: int) -> Appointment:
    """Move a visit to any free time of its kind; twice is once.

    Raises Outdated, NotPossible, SlotTaken; then the visit stands.
    """
    appointment = get_for_change(appointment_id)
    if _has_done(staff_id, "moved", appointment, version) and appointment.slot_id == slot_id:
        return appointment
    _check_as_seen(appointment, version)
    slot = db.session.get(Slot, slot_id)
    if not can_change(appointment) or (slot and slot.visit_type.kind != appointment.visit_type.kind):
        raise NotPossible("move")
    return move_to(appointment, slot_id, staff_id=staff_id)


@transactional
def cancel(appointment_id: UUID, version: int, reason: str, words: str, staff_id: int) -> Appointment:
    """Cancel a visit for the patient, the clinician or the clinic; words are kept as a note. Twice is once.

    Raises Outdated, NotPossible, PersonErased when there are words.
    """
    appointment = get_for_change(appointment_id)
    if _has_done(staff_id, "cancelled", appointment, version) and appointment.cancel_reason == reason:
        return appointment
    _check_as_seen(appointment, version)
    if not can_change(appointment):
        raise NotPossible("cancel")
    if words:
        _write_note(appointment, words, staff_id)
    return end(appointment, reason, staff_id)


@transactional
def add_note(appointment_id: UUID, words: str, staff_id: int) -> None:
    """Write down what colleagues should know of a visit; notes are added, never changed. Twice is once.

    Raises PersonErased.
    """
    appointment = get_for_change(appointment_id)
    last = next(reversed(list_notes(appointment_id)), None)
    if last and (last.staff_id, last.words) == (staff_id, words) and last.written_at > clock.now() - UNDO_WINDOW:
        return
    _write_note(appointment, words, staff_id)
    audit.services.record("note-written", f"appointment:{appointment_id}")


@transactional
def end_link(appointment_id: UUID) -> None:
    """Let no link open the visit any more; a time that is offered to it by mail goes to the next."""
    links.revoke(appointment_id)
    waitlist.end_offers(appointment_id)


def undo(change_id: UUID, staff_id: int) -> Appointment:
    """Make a visit as it was before the last change of it by staff; twice is once. Who was not told yet never hears.

    Raises LookupError, Outdated when it has been changed since, NotPossible when the patient counts on it by now,
    SlotTaken when its time is gone, AlreadyBooked when there is another visit of the kind.
    """
    try:
        return _undo(change_id, staff_id)
    except IntegrityError:
        raise AlreadyBooked from None


@transactional
def _undo(change_id: UUID, staff_id: int) -> Appointment:
    change = db.session.get(VisitChange, change_id)
    if change is None or change.staff_id is None:
        raise LookupError(change_id)
    appointment = get_for_change(change.appointment_id)
    db.session.refresh(change)  # a twin of this request may have been a moment faster
    if change.undone_at is not None:
        return appointment
    if not _is_last(appointment, change):
        raise Outdated(appointment)
    if _is_counted_on(appointment, change):
        raise NotPossible(change.kind)
    before, now = snapshot(appointment), clock.now()
    UNDO.get(change.kind, _undo_step)(appointment, change.before)
    change.undone_at = now
    note_change(appointment, "undone", before, staff_id)
    return appointment


def _undo_step(appointment: Appointment, before: Before) -> None:
    appointment.status = str(before["status"])
    appointment.arrived_at, appointment.roomed_at = read_moment(before, "arrived_at"), read_moment(before, "roomed_at")
    if appointment.status not in HERE:
        _note_not_attended(appointment)


def _undo_cancel(appointment: Appointment, _before: Before) -> None:
    reopen_time_of(appointment.slot_id, CLOSED_FOR)
    appointment.slot = _retake(appointment.slot)
    take_up_again(appointment)
    announce_restored(appointment)


def _undo_move(appointment: Appointment, before: Before) -> None:
    left = appointment.slot_id
    appointment.slot = _retake(db.session.get_one(Slot, before["slot_id"]))
    appointment.visit_type = db.session.get_one(VisitType, before["visit_type_id"])
    db.session.flush()
    release_slot(left)
    announce_restored(appointment)


def _retake(slot: Slot) -> Slot:
    """The time of a slot that was left a moment ago, also when it is not offered any more. Raises SlotTaken."""
    return claim_time(slot.provider_id, slot.location_id, slot.visit_type, slot.starts_at)


def _undo_booking(appointment: Appointment, before: Before) -> None:
    """As if it had never been, for the request that it answered as well."""
    appointment.status = Status.ENTERED_IN_ERROR
    appointment.cancel_reason, appointment.one_of_kind = "clinic", None
    supersede_mail(appointment.id)
    _note_not_attended(appointment)
    db.session.flush()
    if appointment.journey_id is not None:
        note_not_booked(appointment.journey_id)
    _reopen_request(before)
    waitlist.close(appointment.id)
    release_slot(appointment.slot_id)


def _reopen_request(before: Before) -> None:
    """Let the request stand as it did, unless something else has been noted of it since, or it is gone."""
    request = get_request(UUID(str(before["request_id"]))) if "request_id" in before else None
    if request is not None and request.outcome == BOOKED:
        reopen(request.id)
        if outcome := before.get("outcome"):
            settle(request.id, str(outcome))


UNDO: dict[str, Callable[[Appointment, Before], None]] = {
    "cancelled": _undo_cancel,
    "moved": _undo_move,
    "booked": _undo_booking,
}


def _has_done(staff_id: int, kind: str, appointment: Appointment, version: int) -> bool:
    """Whether this very person has done that to the visit of that version, and nobody anything since."""
    last = find_last_change(appointment)
    return last is not None and (last.staff_id, last.kind, last.version) == (staff_id, kind, version + 1)


def _is_last(appointment: Appointment, change: VisitChange) -> bool:
    """Whether staff have made that change, as the last one, and it can be undone at all."""
    last = change.version == appointment.version and change.undone_at is None
    return last and change.staff_id is not None and change.kind not in CANNOT_BE_UNDONE


def _is_counted_on(appointment: Appointment, change: VisitChange) -> bool:
    """Whether the patient may know of a visit that would be none again, or of a move away from a time that is over."""
    ends_what_is_known = change.kind == "booked" or (change.kind == "moved" and _has_begun(change.before))
    return ends_what_is_known and may_have_heard(appointment.id, appointment.ics_sequence)


def _has_begun(before: Before) -> bool:
    return db.session.get_one(Slot, before["slot_id"]).starts_at <= clock.now()


def _check_as_seen(appointment: Appointment, version: int) -> None:
    if appointment.version != version:
        raise Outdated(appointment)


def _can_step(appointment: Appointment, status: Status) -> bool:
    if appointment.status not in STEPS.get(status, ()):
        return False
    if status == Status.NOSHOW:
        return appointment.slot.starts_at <= clock.now()
    return appointment.slot.day <= clock.today(appointment.slot.location.zone)


def _note_attended(appointment: Appointment) -> None:
    if appointment.journey_id is not None:
        reach(appointment.journey_id, Reached.ATTENDED)


def _note_not_attended(appointment: Appointment) -> None:
    if appointment.journey_id is not None:
        take_back(appointment.journey_id, Reached.ATTENDED)


def _write_note(appointment: Appointment, words: str, staff_id: int) -> None:
    db.session.refresh(appointment.patient, with_for_update={"read": True})  # an erasure comes before the note or after
    if appointment.patient.erased_at is not None:
        raise PersonErased(appointment)
    note = VisitNote(appointment_id=appointment.id, staff_id=staff_id, words=words, written_at=clock.now())
    db.session.add(note)
