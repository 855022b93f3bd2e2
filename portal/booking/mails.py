"""The letters about a visit, written from what the diary says at the moment they leave."""

from __future__ import annotations

from uuid import UUID

from flask import url_for

from portal.booking.calendar import CANCEL, REQUEST, build_entry
from portal.booking.models import Appointment, Status
from portal.booking.queries import get_appointment
from portal.notifications.letters import Letter, render_letter, write_letters_with


def init_app() -> None:
    write_letters_with("booked", write_booked)
    write_letters_with("cancelled", write_cancelled)


def write_booked(appointment_id: UUID, sequence: int) -> Letter | None:
    """The confirmation, with the calendar entry; None once the visit has changed."""
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return _letter("booked", appointment, REQUEST) if appointment else None


def write_cancelled(appointment_id: UUID, sequence: int) -> Letter | None:
    """That the visit is cancelled; takes it out of the calendar. None once it has been taken up again."""
    appointment = _still(appointment_id, sequence, Status.CANCELLED)
    return _letter("cancelled", appointment, CANCEL) if appointment else None


def _still(appointment_id: UUID, sequence: int, status: Status) -> Appointment | None:
    appointment = get_appointment(appointment_id)
    if appointment is None or appointment.ics_sequence != sequence or appointment.status != status:
        return None
    return appointment


def _letter(kind: str, appointment: Appointment, method: str) -> Letter:
    return render_letter(
        kind,
        to=appointment.patient.email,
        calendar=build_entry(appointment, method),
        calendar_method=method,
        appointment=appointment,
        slot=appointment.slot,
        manage_url=url_for("visit.show_visit", token=appointment.token, _external=True),
    )
