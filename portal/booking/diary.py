"""The visits of a day or more, as rows without objects: nothing of them is decrypted that is not asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased

from portal.booking.models import TAKE_THE_SLOT, Appointment, Patient, Status, VisitChange, VisitNote
from portal.core.db import db
from portal.scheduling.models import Slot

# A patient with an earlier visit in one of these states has been here, or is expected before.
CAME = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED)
OF_VISIT = (
    Appointment.id,
    Appointment.reference,
    Appointment.slot_id,
    Appointment.visit_type_id,
    Appointment.status,
    Appointment.lane,
    Appointment.prompt,
    Appointment.version,
    Appointment.arrived_at,
    Appointment.created_at,
    Appointment.cancel_reason,
)
OF_PATIENT = (Patient.name, Patient.date_of_birth)
CONTACT = (Patient.phone, Patient.email)
OF_SLOT = (Slot.provider_id, Slot.location_id, Slot.day, Slot.begins, Slot.starts_at, Slot.ends_at)
VisitRow = Any  # a row with all of these columns


def list_visit_rows(
    first: date, last: date, provider_id: int | None = None, contact: bool = False
) -> Sequence[VisitRow]:
    """The visits of these days by the clocks of their place, cancelled ones too, with patient and time.

    With `contact` also how to reach the patient, which takes decrypting.
    """
    query = (
        select(*OF_VISIT, *OF_PATIENT, *(CONTACT if contact else ()), *OF_SLOT)
        .join(Appointment.patient)
        .join(Appointment.slot)
    )
    query = query.where(Slot.day.between(first, last), *_only(provider_id))
    return db.session.execute(query.order_by(Slot.day, Slot.begins, Appointment.created_at, Appointment.id)).all()


def count_visits(first: date, last: date, provider_id: int | None = None) -> dict[date, int]:
    """How many visits stand on each of these days that has any."""
    query = select(Slot.day, func.count()).join(Appointment.slot).where(Slot.day.between(first, last))
    query = query.where(Appointment.status.in_(TAKE_THE_SLOT), *_only(provider_id))
    return dict(db.session.execute(query.group_by(Slot.day)).all())


def find_first_visits(first: date, last: date) -> set[UUID]:
    """Those visits of these days before which their patient has no other."""
    earlier, before = aliased(Appointment), aliased(Slot)
    came = exists().where(
        and_(
            earlier.patient_id == Appointment.patient_id,
            earlier.status.in_(CAME),
            before.id == earlier.slot_id,
            before.starts_at < Slot.starts_at,
        )
    )
    query = select(Appointment.id).join(Appointment.slot).where(Slot.day.between(first, last), ~came)
    return set(db.session.scalars(query))


def find_moved(first: date, last: date) -> set[UUID]:
    """Those visits of these days that were at another time before."""
    moved = select(VisitChange.appointment_id).join(VisitChange.appointment).join(Appointment.slot)
    moved = moved.where(Slot.day.between(first, last), VisitChange.kind == "moved", VisitChange.undone_at.is_(None))
    return set(db.session.scalars(moved))


def find_notes(visit_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """What patients and staff noted to these visits, by visit, the patient's own words first."""
    notes: dict[UUID, list[str]] = {}
    typed = select(Appointment.id, Appointment.note).where(Appointment.id.in_(visit_ids), Appointment.note.is_not(None))
    written = select(VisitNote.appointment_id, VisitNote.words).where(VisitNote.appointment_id.in_(visit_ids))
    for query in (typed, written.order_by(VisitNote.id)):
        for visit_id, words in db.session.execute(query):
            if words:
                notes.setdefault(visit_id, []).append(words)
    return notes


def _only(provider_id: int | None) -> list[ColumnElement[bool]]:
    return [] if provider_id is None else [Slot.provider_id == provider_id]
