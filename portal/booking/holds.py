"""Legal holds: while one stands on a patient, nothing of that patient is purged or erased.

A hold stays on the record on which it was set, and stands for the person: for all records merged into one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, Select, case, or_, select

from portal import audit
from portal.booking.models import (
    Appointment,
    LegalHold,
    Offer,
    Patient,
    PatientMerge,
    PatientRequest,
    WaitlistEntry,
)
from portal.core import clock
from portal.core.db import db, transactional


@transactional
def set_hold(patient_id: UUID, reason: str, staff_id: int) -> None:
    """Let a hold stand on a patient; where one stands already, that one goes on. Raises LookupError."""
    if db.session.get(Patient, patient_id, with_for_update=True) is None:
        raise LookupError(patient_id)
    if any(hold.lifted_at is None for hold in list_holds(patient_id)):
        return
    db.session.add(LegalHold(patient_id=patient_id, reason=reason, set_by=staff_id, set_at=clock.now()))
    audit.services.record("hold-set", f"patient:{patient_id}")


@transactional
def lift_hold(patient_id: UUID, reason: str, staff_id: int) -> None:
    """Let nothing hold the patient any more, on whatever record it was set; twice is once."""
    for hold in db.session.scalars(_standing().where(_is_on(patient_id)).with_for_update()):
        hold.lift_reason, hold.lifted_by, hold.lifted_at = reason, staff_id, clock.now()
        audit.services.record("hold-lifted", f"patient:{hold.patient_id}")


@transactional
def extend_holds(patient_id: UUID, other_id: UUID, since: datetime | None = None) -> None:
    """Let what holds a patient, on whatever record, hold another record, too: some of the visits went there.

    With a moment, only what was set from then on, and not on that other record itself.
    """
    holds = _standing().where(_is_on(patient_id))
    if since is not None:
        holds = holds.where(LegalHold.set_at >= since, LegalHold.patient_id != other_id)
    for hold in db.session.scalars(holds).all():
        db.session.add(LegalHold(patient_id=other_id, reason=hold.reason, set_by=hold.set_by, set_at=hold.set_at))
        audit.services.record("hold-set", f"patient:{other_id}")


def list_holds(patient_id: UUID) -> Sequence[LegalHold]:
    """All holds there were on a patient, on whatever record, the newest first."""
    holds = select(LegalHold).where(_is_on(patient_id)).order_by(LegalHold.set_at.desc())
    return db.session.scalars(holds).all()


def find_held(patient_ids: Collection[UUID]) -> bool:
    """Whether a hold stands on any of these."""
    return db.session.scalar(_standing().where(LegalHold.patient_id.in_(patient_ids)).limit(1)) is not None


def select_held() -> Select[UUID]:
    """The ids of all records of patients under a hold: those merged with one that is held are held with it."""
    return _all_records(select(Patient.id).join(LegalHold).where(LegalHold.lifted_at.is_(None)))


def select_held_visits() -> Select[UUID]:
    """The ids of the visits of patients under a hold."""
    return select(Appointment.id).where(Appointment.patient_id.in_(select_held()))


def select_held_journeys() -> CompoundSelect[UUID | None]:
    """The ids of the journeys that led to such a visit, or to a request of such a patient."""
    requests = select(PatientRequest.journey_id).where(PatientRequest.id.in_(select_held_requests()))
    return _select_journeys_of_visits().union_all(requests.where(PatientRequest.journey_id.is_not(None)))


def select_held_requests() -> Select[UUID]:
    """The ids of the requests by the phone, the address or the journey of such a patient."""
    held = select(Patient).where(Patient.id.in_(select_held())).subquery()
    by_phone = PatientRequest.phone_hash.in_(select(held.c.phone_hash).where(held.c.phone_hash.is_not(None)))
    by_email = PatientRequest.email_hash.in_(select(held.c.email_hash).where(held.c.email_hash.is_not(None)))
    return select(PatientRequest.id).where(
        or_(by_phone, by_email, PatientRequest.journey_id.in_(_select_journeys_of_visits()))
    )


def select_held_offers() -> Select[UUID]:
    """The ids of the offers to such a patient."""
    return select(Offer.id).join(Offer.entry).where(WaitlistEntry.appointment_id.in_(select_held_visits()))


def _select_journeys_of_visits() -> Select[UUID | None]:
    visits = select(Appointment.journey_id).where(Appointment.patient_id.in_(select_held()))
    return visits.where(Appointment.journey_id.is_not(None))


def _standing() -> Select[LegalHold]:
    return select(LegalHold).where(LegalHold.lifted_at.is_(None))


def _is_on(patient_id: UUID) -> ColumnElement[bool]:
    return LegalHold.patient_id.in_(_all_records(select(Patient.id).where(Patient.id == patient_id)))


def _all_records(records: Select[UUID]) -> Select[UUID]:
    """The ids of these records and of all that were merged with them, in however many steps."""
    found = records.cte(recursive=True)
    other = case((PatientMerge.kept_id == found.c.id, PatientMerge.merged_id), else_=PatientMerge.kept_id)
    joined = or_(PatientMerge.kept_id == found.c.id, PatientMerge.merged_id == found.c.id)
    merged = select(other).join(found, joined).where(PatientMerge.undone_at.is_(None))
    return select(found.union(merged).c.id)
