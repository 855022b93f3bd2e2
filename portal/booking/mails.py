"""The letters about a visit, written from what the diary says at the moment they leave."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import url_for

from portal.booking.calendar import CANCEL, REQUEST, build_entry
from portal.booking.models import Appointment, OfferState, Status
from portal.booking.queries import get_appointment, get_offer
from portal.core import clock
from portal.notifications.letters import Letter, render_letter, write_letters_with


def init_app() -> None:
    write_letters_with("booked", write_booked)
    write_letters_with("moved", write_moved)
    write_letters_with("cancelled", write_cancelled)
    write_letters_with("link", write_link)
    write_letters_with("offer", write_offer)


def write_booked(appointment_id: UUID, sequence: int) -> Letter | None:
    """The confirmation, with the calendar entry; None once the visit has changed."""
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return _letter("booked", appointment, REQUEST) if appointment else None


def write_moved(appointment_id: UUID, sequence: int) -> Letter | None:
    """The new time or way to meet, in the same calendar entry; None once the visit has changed again."""
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return _letter("moved", appointment, REQUEST) if appointment else None


def write_link(appointment_id: UUID, _hour: int) -> Letter | None:
    """The visit's link once more, for whoever tries to book a second one; None once it does not stand."""
    appointment = get_appointment(appointment_id)
    if appointment is None or appointment.status != Status.BOOKED:
        return None
    return render_letter("link", to=appointment.patient.email, **_facts(appointment))


def write_offer(offer_id: UUID, _sequence: int) -> Letter | None:
    """An earlier time and until when it is held; None once the offer has ended."""
    offer = get_offer(offer_id)
    if offer is None or offer.state != OfferState.OPEN or offer.answer_by <= clock.now():
        return None
    return render_letter(
        "offer",
        to=offer.entry.appointment.patient.email,
        appointment=offer.entry.appointment,
        slot=offer.slot,
        answer_by=offer.answer_by,
        offer_url=url_for("waitlist.show_offer", token=offer.token, _external=True),
    )


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
        **_facts(appointment),
    )


def _facts(appointment: Appointment) -> dict[str, Any]:
    return {
        "appointment": appointment,
        "slot": appointment.slot,
        "manage_url": url_for("visit.show_visit", key=appointment.token, _external=True),
    }
