"""Book for somebody on the phone or at the desk: one transaction, twice is once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.assessment.rules import Lane
from portal.assessment.services import Standing, keep_for_visit, leave_answers, record_safety, standing_of
from portal.booking.announce import announce
from portal.booking.history import Before
from portal.booking.models import TAKE_THE_SLOT, Appointment, Patient, PatientRequest, Status, VisitChange, VisitNote
from portal.booking.patients import complete_contact, get_standing
from portal.booking.queries import find_by_idempotency_key, get_request
from portal.booking.requests import settle_by_visit
from portal.booking.services import (
    AlreadyBooked,
    Details,
    MayNotBook,
    SafetyUnknown,
    build_appointment,
    can_be_of,
    find_or_build_patient,
    one_of_kind_key,
    require_only_one,
)
from portal.core import clock
from portal.core.db import db, seeing_others, store, transactional
from portal.core.edits import Values
from portal.core.text import search_key
from portal.referrals.services import NoSuchLink, Reached, reach, start_journey, start_journey_by_code
from portal.scheduling.models import Slot, VisitType
from portal.scheduling.services import SlotTaken, claim_slot, claim_time, hold_slot, release_holds

NO_NOTICE = timedelta()  # the desk books times that are too near to be booked online


class UnknownCode(LookupError):
    """No leaflet or letter has the code that the caller reads out."""


class NotToday(Exception):
    """Nobody is here now for a visit of another day."""


@dataclass(frozen=True)
class OwnTime:
    """A time that the diary does not offer, and why it is booked nevertheless."""

    provider_id: int
    location_id: int
    visit_type: VisitType
    starts_at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Call:
    """What the desk knows when it books: `key` is the call's own, `answer` None when it did not ask for signs."""

    key: UUID
    staff_id: int
    details: Details
    time: int | OwnTime  # a slot, or a time of its own
    answer: frozenset[str] | None
    patient_id: UUID | None = None
    seen: Values = field(default_factory=dict)  # of the patient's contact, before anything was typed over it
    request_id: UUID | None = None
    code: str = ""
    another: bool = False  # though there is a visit of the kind
    is_here: bool = False


@transactional
def hold_for_call(slot_id: int, key: UUID) -> datetime:
    """Hold a time while the desk talks, whatever type and however near; until when. Raises SlotTaken."""
    return hold_slot(slot_id, key, notice=NO_NOTICE)


@transactional
def let_go(key: UUID) -> None:
    """Give back what is held for a call."""
    release_holds(key)


@transactional
def note_emergency(key: UUID) -> None:
    """Note that a caller was told to call for help; not for what."""
    audit.services.record("caller-sent-to-emergency", f"call:{key}")


def book_for_caller(call: Call) -> Appointment:
    """Book for a caller; the same call a second time gets the first one's visit.

    Raises SlotTaken, AlreadyBooked, UnknownCode, NotToday; SafetyUnknown when the signs must be asked for, MayNotBook
    when there is one. Then nothing was changed.
    """
    try:
        return _book(call)
    except (SlotTaken, AlreadyBooked, IntegrityError) as error:
        # A twin of this request, or another desk, may have been a moment faster.
        db.session.rollback()
        if (existing := find_by_idempotency_key(str(call.key))) is not None:
            return existing
        if isinstance(error, IntegrityError):
            raise SlotTaken(call.time) from error
        raise


@seeing_others
@transactional
def _book(call: Call) -> Appointment:
    if (existing := find_by_idempotency_key(str(call.key))) is not None:
        return existing
    slot = _claim(call)
    if call.is_here and slot.day != clock.today(slot.location.zone):
        raise NotToday
    if call.answer is None and must_ask(slot.visit_type):
        raise SafetyUnknown
    patient = _patient_of(call)
    if not call.another:
        _require_none_on_record(patient, slot.visit_type.kind)
        require_only_one(patient, slot.visit_type.kind)
    appointment = build_appointment(slot, patient, str(call.key))
    appointment.one_of_kind = None if call.another else one_of_kind_key(patient, slot.visit_type.kind)
    journey_id = _journey_of(call)
    appointment.journey_id = journey_id
    _leave_answers_of_others(call, patient, journey_id)
    if (standing := _ask(journey_id, call.answer)) is not None:
        appointment.assessment_id, appointment.lane = standing.assessment_id, standing.lane
        appointment.prompt = standing.prompt
    if call.is_here:
        appointment.status, appointment.arrived_at = Status.ARRIVED, clock.now()
    store(appointment)
    _note(appointment, call)
    reach(journey_id, Reached.BOOKED)
    if call.is_here:
        reach(journey_id, Reached.ATTENDED)
    if patient.email and not call.is_here:
        announce(appointment, "booked", may_undo=True)
    return appointment


def must_ask(visit_type: VisitType) -> bool:
    """Whether nobody may be booked for that type without the answer to the first safety question.

    It is so for the types that new patients book themselves, and for every first consult.
    """
    return bool(visit_type.lanes) or visit_type.kind == "consult"


def _claim(call: Call) -> Slot:
    if isinstance(call.time, int):
        return claim_slot(call.time, call.key, notice=NO_NOTICE)
    slot = claim_time(call.time.provider_id, call.time.location_id, call.time.visit_type, call.time.starts_at)
    release_holds(call.key)
    return slot


def _patient_of(call: Call) -> Patient:
    """Who calls: the record that was chosen, with what is new of its contact, or one with just these details."""
    if call.patient_id is not None:
        with suppress(LookupError):  # it was erased a moment ago: who calls is somebody new
            known = get_standing(call.patient_id)
            complete_contact(known.id, replace(call.details, reach_by=known.reach_by), call.seen)
            return known
    patient = find_or_build_patient(call.details)
    store(patient)
    return patient


def _require_none_on_record(patient: Patient, kind: str) -> None:
    """Raise AlreadyBooked when this very patient has a visit of the kind to come, under whatever address."""
    standing = db.session.scalar(
        select(Appointment)
        .join(Appointment.slot)
        .where(Appointment.patient_id == patient.id, Appointment.status.in_(TAKE_THE_SLOT))
        .where(Slot.ends_at > clock.now(), Appointment.visit_type.has(VisitType.kind == kind))
        .order_by(Slot.starts_at)
        .limit(1)
    )
    if standing is not None:
        raise AlreadyBooked(standing)


def _journey_of(call: Call) -> UUID:
    """The journey of the request that is answered, else a new one; it has come by the code read out, if there is one.

    Raises UnknownCode.
    """
    request = _request_of(call)
    journey_id = request.journey_id if request else None
    if not call.code:
        return start_journey(journey_id)
    try:
        return start_journey_by_code(call.code.lower(), journey_id)
    except NoSuchLink:
        raise UnknownCode(call.code) from None


def _leave_answers_of_others(call: Call, patient: Patient, journey_id: UUID) -> None:
    """Let only what is said on the phone go to the clinic where the answers of before are, or may be, another's."""
    before = standing_of(journey_id)
    if before is None:
        return
    seen_since = before.lane is Lane.EMERGENCY and before.is_over
    if seen_since or not _is_asked_for(call, patient) or not can_be_of(before, patient):
        leave_answers(journey_id)


def _is_asked_for(call: Call, patient: Patient) -> bool:
    """Whether the request that is answered was made in this patient's name, or a part of it."""
    request = _request_of(call)
    return request is None or set(search_key(request.name).split()) <= set(patient.name_key.split())


def _ask(journey_id: UUID, answer: frozenset[str] | None) -> Standing | None:
    """Record the caller's answer like a patient's own, and where it stands then. Raises MayNotBook on danger."""
    if answer is not None:
        record_safety(journey_id, answer)
        db.session.flush()
    standing = standing_of(journey_id)
    if standing is None:
        return None
    if standing.lane is Lane.EMERGENCY:
        raise MayNotBook(standing.lane)
    keep_for_visit(standing.assessment_id)
    return standing


def _note(appointment: Appointment, call: Call) -> None:
    """For the trail, for undo, for the note, and for the request that this answers."""
    own = call.time if isinstance(call.time, OwnTime) else None
    details = {"against_the_diary": True} if own and own.reason else {}  # why stands in the note
    audit.services.record("booked", f"appointment:{appointment.id}", slot=appointment.slot_id, **details)
    now, about = clock.now(), {"appointment_id": appointment.id, "staff_id": call.staff_id}
    before = _settle_request(_request_of(call))
    db.session.add(VisitChange(**about, kind="booked", before=before, version=appointment.version, done_at=now))
    if own and own.reason:
        db.session.add(VisitNote(**about, words=own.reason, written_at=now))


def _request_of(call: Call) -> PatientRequest | None:
    return get_request(call.request_id) if call.request_id else None


def _settle_request(request: PatientRequest | None) -> Before:
    """Settle the request that is answered; what to undo with the booking."""
    if request is None:
        return {}
    before: Before = {"request_id": str(request.id), "outcome": request.outcome}
    return before if settle_by_visit(request.id) else {}
