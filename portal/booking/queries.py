"""What pages ask of appointments."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import select

from portal.booking.models import Appointment, BookingDraft, CallBack
from portal.core.crypto import token_hash
from portal.core.db import db


def get_appointment(appointment_id: UUID) -> Appointment | None:
    """The appointment of that id."""
    return db.session.get(Appointment, appointment_id)


def find_by_token(token: str) -> Appointment | None:
    """The appointment that the link in a mail opens."""
    return db.session.scalar(select(Appointment).where(Appointment.token_hash == token_hash(token)))


def find_by_idempotency_key(key: str) -> Appointment | None:
    """The appointment that a booking form with that key has made."""
    return db.session.scalar(select(Appointment).where(Appointment.idempotency_key == key))


def find_latest_of(journey_id: UUID | None) -> Appointment | None:
    """The appointment that this journey booked last."""
    if journey_id is None:
        return None
    return db.session.scalar(
        select(Appointment).where(Appointment.journey_id == journey_id).order_by(Appointment.created_at.desc()).limit(1)
    )


def get_draft(journey_id: UUID | None) -> BookingDraft | None:
    """The booking that this journey has begun and not finished."""
    return db.session.get(BookingDraft, journey_id) if journey_id else None


def list_open_call_backs() -> Sequence[CallBack]:
    """Wishes to be called that nobody has settled yet, oldest first."""
    return db.session.scalars(select(CallBack).where(CallBack.outcome.is_(None)).order_by(CallBack.asked_at)).all()


def find_appointments_in(slot_ids: Collection[int]) -> dict[int, list[Appointment]]:
    """The appointments of these slots, cancelled ones too, by slot and in the order they were made."""
    found: dict[int, list[Appointment]] = {}
    rows = select(Appointment).where(Appointment.slot_id.in_(slot_ids)).order_by(Appointment.created_at)
    for appointment in db.session.scalars(rows):
        found.setdefault(appointment.slot_id, []).append(appointment)
    return found
