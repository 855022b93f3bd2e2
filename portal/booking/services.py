"""Hold, book, cancel: each in one transaction that claims the slot by a conditional UPDATE."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.assessment.services import Standing, keep_for_visit, standing_of
from portal.booking.models import Appointment, BookingDraft, CallBack, Patient, Status
from portal.booking.queries import find_by_idempotency_key, get_draft
from portal.config import current_settings
from portal.core import clock
from portal.core.crypto import DIGITS, new_code, new_token, token_hash
from portal.core.db import db, insert_once, transactional
from portal.notifications.services import queue_mail
from portal.referrals.services import Reached, reach
from portal.scheduling.models import Slot
from portal.scheduling.queries import get_clinic
from portal.scheduling.services import SlotTaken, claim_slot, hold_slot, release_slot


class SafetyUnknown(Exception):
    """Nothing is known about warning signs: the first safety screen comes before any booking."""


class MayNotBook(Exception):
    """This person's lane is not offered online times."""


class TooLate(Exception):
    """The visit has begun, is over, or is cancelled already: it cannot be changed online."""


@dataclass(frozen=True)
class Details:
    """Who comes, and how to reach them."""

    name: str
    date_of_birth: date
    email: str
    phone: str
    reach_by: str
    note: str

    def to_json(self) -> dict[str, str]:
        return {**self.__dict__, "date_of_birth": self.date_of_birth.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, str]) -> Details:
        return cls(**{**values, "date_of_birth": date.fromisoformat(values["date_of_birth"])})  # type: ignore[arg-type]


@dataclass(frozen=True)
class CallBackWish:
    """Who wants to be called, and when."""

    name: str
    phone: str
    best_time: str
    note: str


def require_standing(journey_id: UUID | None) -> Standing:
    """The standing of a journey that may book. Raises SafetyUnknown or MayNotBook."""
    standing = standing_of(journey_id)
    if standing is None:
        raise SafetyUnknown
    if not standing.lane.may_book:
        raise MayNotBook(standing.lane)
    return standing


@transactional
def choose_slot(slot_id: int, journey_id: UUID) -> None:
    """Hold a slot for this journey and begin a booking of it, keeping what was typed before.

    Raises SlotTaken, SafetyUnknown or MayNotBook.
    """
    standing = require_standing(journey_id)
    hold_slot(slot_id, journey_id)
    _check_offered(db.session.get(Slot, slot_id), standing)
    draft = get_draft(journey_id) or BookingDraft(journey_id=journey_id, details={}, idempotency_key=new_token())
    draft.slot_id, draft.changed_at = slot_id, clock.now()
    db.session.add(draft)
    reach(journey_id, Reached.SLOT_HELD)


@transactional
def save_details(journey_id: UUID, details: Details) -> None:
    """Keep what was typed with the booking that the journey has begun."""
    draft = get_draft(journey_id)
    if draft is not None:
        draft.details, draft.changed_at = details.to_json(), clock.now()


@transactional
def renew_hold(journey_id: UUID, slot_id: int) -> None:
    """Hold the chosen slot for another ten minutes. Raises SlotTaken when it is gone."""
    hold_slot(slot_id, journey_id)


def book(journey_id: UUID, slot_id: int, details: Details, idempotency_key: str) -> Appointment:
    """Book the slot; the same key a second time gets the first one's appointment.

    Raises SlotTaken, SafetyUnknown or MayNotBook; then nothing was changed.
    """
    try:
        return _book(journey_id, slot_id, details, idempotency_key)
    except (SlotTaken, IntegrityError) as error:
        # A twin of this request may have been a moment faster.
        db.session.rollback()
        if (existing := _own_booking(idempotency_key, journey_id)) is not None:
            return existing
        raise SlotTaken(slot_id) from error


@transactional
def _book(journey_id: UUID, slot_id: int, details: Details, idempotency_key: str) -> Appointment:
    if (existing := _own_booking(idempotency_key, journey_id)) is not None:
        return existing
    standing = require_standing(journey_id)
    slot = claim_slot(slot_id, journey_id)
    _check_offered(slot, standing)
    appointment = _new_appointment(slot, _find_or_add_patient(details), idempotency_key)
    appointment.journey_id, appointment.assessment_id = journey_id, standing.assessment_id
    appointment.lane, appointment.prompt = standing.lane, standing.prompt
    appointment.note = details.note or None
    keep_for_visit(standing.assessment_id)
    db.session.add(appointment)
    db.session.flush()
    if (draft := get_draft(journey_id)) is not None:
        db.session.delete(draft)
    reach(journey_id, Reached.BOOKED)
    queue_mail("booked", appointment.id, appointment.ics_sequence)
    audit.services.record("booked", f"appointment:{appointment.id}", slot=slot.id)
    return appointment


@transactional
def cancel(appointment_id: UUID, reason: str) -> Appointment:
    """Cancel a visit that has not begun and free its slot. Raises TooLate."""
    appointment = _changeable(appointment_id, Status.BOOKED)
    appointment.status, appointment.cancel_reason = Status.CANCELLED, reason
    _note_change(appointment, "cancelled")
    release_slot(appointment.slot_id)
    return appointment


@transactional
def undo_cancel(appointment_id: UUID) -> Appointment:
    """Take the cancelled visit's slot again. Raises SlotTaken when it is gone, TooLate when time is up."""
    appointment = _changeable(appointment_id, Status.CANCELLED)
    claim_slot(appointment.slot_id, journey_id=None)
    appointment.status, appointment.cancel_reason = Status.BOOKED, None
    _note_change(appointment, "booked")
    return appointment


@transactional
def ask_call_back(journey_id: UUID, wish: CallBackWish, idempotency_key: str) -> None:
    """Put a wish to be called on the desk's list, with how urgent the answers so far are; twice is once."""
    standing = standing_of(journey_id)
    inserted = insert_once(
        CallBack,
        id=uuid4(),
        journey_id=journey_id,
        name=wish.name,
        phone=wish.phone,
        best_time=wish.best_time,
        note=wish.note or None,
        lane=standing.lane if standing else None,
        idempotency_key=idempotency_key,
        asked_at=clock.now(),
    )
    if inserted:
        audit.services.record("call-back-asked", f"journey:{journey_id}")


@transactional
def settle_call_back(call_back_id: UUID, outcome: str) -> None:
    """Note how a call back went; it leaves the list of open ones. Raises LookupError when there is none."""
    call_back = db.session.get(CallBack, call_back_id)
    if call_back is None:
        raise LookupError(call_back_id)
    call_back.outcome, call_back.settled_at = outcome, clock.now()
    audit.services.record("call-back-settled", f"call-back:{call_back_id}", outcome=outcome)


def _changeable(appointment_id: UUID, status: Status) -> Appointment:
    appointment = db.session.get_one(Appointment, appointment_id, with_for_update=True)
    if appointment.status != status or appointment.slot.starts_at <= clock.now():
        raise TooLate(appointment_id)
    return appointment


def _note_change(appointment: Appointment, kind: str) -> None:
    appointment.ics_sequence += 1
    appointment.changed_at = clock.now()
    queue_mail(kind, appointment.id, appointment.ics_sequence)
    audit.services.record(kind, f"appointment:{appointment.id}")


def _own_booking(idempotency_key: str, journey_id: UUID) -> Appointment | None:
    existing = find_by_idempotency_key(idempotency_key)
    return existing if existing is not None and existing.journey_id == journey_id else None


def _check_offered(slot: Slot | None, standing: Standing) -> None:
    if slot is None or standing.lane not in slot.visit_type.lanes:
        raise SlotTaken(slot)


def _new_appointment(slot: Slot, patient: Patient, idempotency_key: str) -> Appointment:
    now, token, appointment_id = clock.now(), new_token(), uuid4()
    return Appointment(
        id=appointment_id,
        reference=_unused_reference(),
        slot=slot,
        visit_type=slot.visit_type,
        patient=patient,
        status=Status.BOOKED,
        ics_uid=f"{appointment_id}@{current_settings().host}",
        ics_sequence=0,
        idempotency_key=idempotency_key,
        token=token,
        token_hash=token_hash(token),
        created_at=now,
        changed_at=now,
    )


def _unused_reference() -> str:
    """A reference like TPM-7K3F-94."""
    while True:
        reference = f"{get_clinic().code}-{new_code(4)}-{new_code(2, DIGITS)}"
        if db.session.scalar(select(Appointment.id).where(Appointment.reference == reference)) is None:
            return reference


def _find_or_add_patient(details: Details) -> Patient:
    """The patient with exactly these details, or a new one; who is alike is for the desk to judge."""
    values = {name: value for name, value in details.__dict__.items() if name != "note"}
    known = db.session.scalar(select(Patient).filter_by(**values).limit(1))
    if known is not None:
        return known
    patient = Patient(**values, created_at=clock.now())
    db.session.add(patient)
    return patient
