"""What pages ask of appointments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Uuid, bindparam, exists, func, or_, select
from sqlalchemy.orm import joinedload

from portal.booking.contact_hashes import find_email, find_phone
from portal.booking.models import (
    TAKE_THE_SLOT,
    Appointment,
    BookingDraft,
    Offer,
    Patient,
    PatientRequest,
    VisitChange,
    WaitlistEntry,
)
from portal.core import clock
from portal.core.crypto import token_hash
from portal.core.db import db
from portal.scheduling.models import Slot
from portal.scheduling.queries import WITH_SURROUNDINGS

# Built once: they are asked for each letter, on each page of a booking, or with each booking.
SLOT = joinedload(Appointment.slot)
WHOLE = (
    select(Appointment)
    .where(Appointment.id == bindparam("id"))
    .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type))
    .options(SLOT.joinedload(Slot.provider), SLOT.joinedload(Slot.location))
)
WHOSE_ANSWERS = (
    select(Patient.name_key, Patient.date_of_birth)
    .join(Appointment)
    .where(Appointment.assessment_id == bindparam("id", type_=Uuid))
)
LATEST = (
    select(Appointment)
    .where(Appointment.journey_id == bindparam("journey_id"))
    .where(~exists().where(VisitChange.appointment_id == Appointment.id, VisitChange.kind == "booked"))
    .order_by(Appointment.created_at.desc())
    .options(joinedload(Appointment.patient), joinedload(Appointment.visit_type))
    .options(SLOT.options(*WITH_SURROUNDINGS))
    .limit(1)
)
DRAFT = select(BookingDraft).where(BookingDraft.journey_id == bindparam("journey_id"))
BY_KEY = select(Appointment).where(Appointment.idempotency_key == bindparam("key"))
ONE_OF_KIND = (
    select(Appointment.id, Slot.ends_at)
    .join(Appointment.slot)
    .where(Appointment.one_of_kind.in_(bindparam("keys", expanding=True)))
)
HAS_REFERENCE = select(Appointment.id).where(Appointment.reference == bindparam("reference"))
ALIKE = (
    select(Patient)
    .where(Patient.name == bindparam("name"), Patient.date_of_birth == bindparam("born"))
    .where(Patient.merged_into_id.is_(None))
    .order_by(Patient.created_at)
    .with_for_update(read=True)  # who is changed at this moment is looked at afterwards
)


def get_for_change(appointment_id: UUID) -> Appointment:
    """The visit, locked until the transaction ends."""
    return db.session.get_one(Appointment, appointment_id, with_for_update=True, populate_existing=True)


def get_appointment(appointment_id: UUID) -> Appointment | None:
    """The appointment of that id, with whatever a letter or a page says of it."""
    return db.session.scalar(WHOLE, {"id": appointment_id})


def find_by_token(token: str) -> Appointment | None:
    """The appointment that the link in a mail opens."""
    return db.session.scalar(select(Appointment).where(Appointment.token_hash == token_hash(token)))


def find_by_idempotency_key(key: str) -> Appointment | None:
    """The appointment that a booking form with that key has made."""
    return db.session.scalar(BY_KEY, {"key": key})


def find_latest_of(journey_id: UUID | None) -> Appointment | None:
    """The appointment that this journey booked last; what the desk booked for it is not this browser's to see."""
    if journey_id is None:
        return None
    return db.session.scalar(LATEST, {"journey_id": journey_id})


def has_visit(journey_id: UUID) -> bool:
    """Whether a visit that this journey booked stands, or has taken place."""
    stands = (Appointment.journey_id == journey_id, Appointment.status.in_(TAKE_THE_SLOT))
    return db.session.scalar(select(Appointment.id).where(*stands).limit(1)) is not None


def get_draft(journey_id: UUID | None) -> BookingDraft | None:
    """The booking that this journey has begun and not finished."""
    return db.session.scalar(DRAFT, {"journey_id": journey_id}) if journey_id else None


def list_open_requests() -> Sequence[PatientRequest]:
    """Requests that nobody has settled yet: who should be seen promptly first, then the oldest."""
    return db.session.scalars(
        select(PatientRequest)
        .where(PatientRequest.outcome.is_(None))
        .order_by(PatientRequest.prompt.desc(), PatientRequest.asked_at)
    ).all()


def list_settled_requests(since: datetime) -> Sequence[PatientRequest]:
    """Requests that were settled since then, the latest first."""
    settled = select(PatientRequest).where(PatientRequest.settled_at >= since)
    return db.session.scalars(settled.order_by(PatientRequest.settled_at.desc())).all()


def find_by_reference(reference: str) -> Appointment | None:
    """The appointment with that reference, whatever is asked for."""
    if not reference.isascii() or not reference.isprintable():
        return None
    return db.session.scalar(select(Appointment).where(Appointment.reference == reference))


def find_one_of_kind(keys: Collection[str]) -> Appointment | None:
    """The active visit of a person and kind, by `services.find_one_of_kind_keys`."""
    return db.session.scalar(select(Appointment).where(Appointment.one_of_kind.in_(keys)).limit(1))


def get_entry(appointment_id: UUID) -> WaitlistEntry | None:
    """A visit's place on the earlier-slot list, open or closed."""
    return db.session.scalar(select(WaitlistEntry).where(WaitlistEntry.appointment_id == appointment_id))


def find_offer(token: str, for_update: bool = False) -> Offer | None:
    """The offer that the link in a mail opens."""
    query = select(Offer).where(Offer.token_hash == token_hash(token))
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if for_update else query)


def get_offer(offer_id: UUID) -> Offer | None:
    """The offer of that id."""
    return db.session.get(Offer, offer_id)


def get_request(request_id: UUID) -> PatientRequest | None:
    """The request of that id."""
    return db.session.get(PatientRequest, request_id)


def list_visits_of_day(provider_id: int, day: date) -> Sequence[Appointment]:
    """A clinician's visits of a day by the clocks of their place, in order."""
    return db.session.scalars(
        select(Appointment)
        .join(Appointment.slot)
        .where(Slot.provider_id == provider_id, Slot.day == day, Appointment.status.in_(TAKE_THE_SLOT))
        .order_by(Slot.starts_at)
    ).all()


def count_visits_to_come(visit_type_id: int) -> int:
    """How many visits of that type are still to come."""
    return (
        db.session.scalar(
            select(func.count())
            .select_from(Appointment)
            .join(Appointment.slot)
            .where(Appointment.visit_type_id == visit_type_id, Appointment.status.in_(TAKE_THE_SLOT))
            .where(Slot.starts_at > clock.now())
        )
        or 0
    )


def find_likely_same(patient: Patient) -> list[Patient]:
    """Other records that may be the same person, for the desk to judge.

    Two of these agree: date of birth, phone, e-mail address, and the last word of the name.
    """
    if patient.erased_at is not None:
        return []
    alike = [Patient.date_of_birth == patient.date_of_birth, Patient.phone_hash.in_(find_phone(patient.phone))]
    alike += [Patient.email_hash.in_(find_email(patient.email))] if patient.email else []
    others = select(Patient).where(or_(*alike), Patient.id != patient.id, Patient.merged_into_id.is_(None))
    found = db.session.scalars(others.order_by(Patient.created_at))
    return [other for other in found if sum(_alike(patient, other)) >= 2]


def _alike(one: Patient, other: Patient) -> tuple[bool, ...]:
    return (
        one.date_of_birth == other.date_of_birth,
        one.phone == other.phone,
        one.email is not None and other.email is not None and one.email.casefold() == other.email.casefold(),
        one.name_key.split()[-1:] == other.name_key.split()[-1:],
    )


def find_visits(appointment_ids: Collection[UUID]) -> dict[UUID, Appointment]:
    """The appointments of these ids, by id."""
    rows = db.session.scalars(select(Appointment).where(Appointment.id.in_(appointment_ids)))
    return {appointment.id: appointment for appointment in rows}


def find_appointments_in(slot_ids: Collection[int]) -> dict[int, list[Appointment]]:
    """The appointments of these slots with who comes and where, cancelled ones too, by slot and as they were made."""
    found: dict[int, list[Appointment]] = {}
    rows = select(Appointment).where(Appointment.slot_id.in_(slot_ids)).order_by(Appointment.created_at)
    rows = rows.options(joinedload(Appointment.patient), SLOT.options(*WITH_SURROUNDINGS))
    for appointment in db.session.scalars(rows):
        found.setdefault(appointment.slot_id, []).append(appointment)
    return found
