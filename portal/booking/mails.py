"""The letters about a visit, written from what the diary says at the moment they leave."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from flask import url_for

from portal.booking import links
from portal.booking.calendar import CANCEL, REQUEST, build_entry
from portal.booking.changes import can_change
from portal.booking.models import Appointment, OfferState, Status
from portal.booking.own_zone import moment_there
from portal.booking.queries import get_appointment, get_offer, get_request, list_visits_of_day
from portal.booking.requests import BOOKED
from portal.config import current_settings
from portal.core import clock
from portal.notifications.letters import Letter, render_letter, write_letters_with
from portal.notifications.queries import was_told
from portal.scheduling.queries import get_provider, get_zone

READ_WITHIN = timedelta(hours=1)  # of its leaving: what a letter says of changing the visit is true till then


def init_app() -> None:
    write_letters_with("booked", write_booked)
    write_letters_with("moved", write_moved)
    write_letters_with("cancelled", write_cancelled)
    write_letters_with("reminder", write_reminder)
    write_letters_with("prepare", write_prepare)
    write_letters_with("link", write_link)
    write_letters_with("new-link", partial(write_link, renewed=True))
    write_letters_with("offer-lapsed", write_offer_lapsed)
    write_letters_with("request", write_request)
    write_letters_with("thanks", write_thanks)
    write_letters_with("digest", write_digest)
    write_letters_with("offer", write_offer)


def write_booked(appointment_id: UUID, sequence: int) -> Letter | None:
    """The confirmation, with the calendar entry; None once the visit has changed."""
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return _letter("booked", appointment, REQUEST) if appointment else None


def write_moved(appointment_id: UUID, sequence: int) -> Letter | None:
    """The new time or way to meet, in the same calendar entry; None once the visit has changed again."""
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return _letter("moved", appointment, REQUEST) if appointment else None


def write_reminder(appointment_id: UUID, sequence: int) -> Letter | None:
    """That the visit comes near; None once it has changed or begun."""
    appointment = _to_come(appointment_id, sequence)
    return render_letter("reminder", **_facts(appointment)) if appointment else None


def write_prepare(appointment_id: UUID, sequence: int) -> Letter | None:
    """What to bring, and where the rest stands; None once the visit has changed or begun."""
    appointment = _to_come(appointment_id, sequence)
    return render_letter("prepare", **_facts(appointment)) if appointment else None


def write_link(appointment_id: UUID, _moment: int, renewed: bool = False) -> Letter | None:
    """The visit's link, for whoever tries to book a second one, or made anew; None for one that was cancelled."""
    appointment = get_appointment(appointment_id)
    if appointment is None or not appointment.takes_slot or not appointment.patient.email:
        return None
    return render_letter("link", renewed=renewed, **_facts(appointment))


def write_offer(offer_id: UUID, _sequence: int) -> Letter | None:
    """An earlier time and until when it is held; None once the offer or its link has ended."""
    offer = get_offer(offer_id)
    if offer is None or offer.state != OfferState.OPEN or offer.answer_by <= clock.now():
        return None
    appointment, slot = offer.entry.appointment, offer.slot
    if not appointment.patient.email or not links.is_live(appointment):
        return None
    zone = appointment.patient_zone
    return render_letter(
        "offer",
        to=appointment.patient.email,
        appointment=appointment,
        slot=slot,
        there=moment_there(slot, slot.visit_type, zone),
        answer_by=offer.answer_by,
        answer_there=moment_there(slot, slot.visit_type, zone, offer.answer_by),
        stands_there=moment_there(appointment.slot, appointment.visit_type, zone),
        offer_url=url_for("waitlist.show_offer", token=offer.token, _external=True),
        unsubscribe=url_for("waitlist.show_offer", token=offer.token, _external=True),
    )


def write_offer_lapsed(offer_id: UUID, sequence: int) -> Letter | None:
    """That an earlier time went to somebody else and the place on the list stands; None once that is not so.

    None also for who was never told of the offer.
    """
    offer = get_offer(offer_id)
    if offer is None or offer.state != OfferState.LAPSED or offer.entry.closed_at is not None:
        return None
    if not was_told(offer_id, sequence):
        return None
    appointment = offer.entry.appointment
    if not appointment.patient.email:
        return None
    stop = url_for("waitlist.show_offer", token=offer.token, _external=True) if links.is_live(appointment) else None
    return render_letter("offer-lapsed", unsubscribe=stop, **_facts(appointment))


def write_request(request_id: UUID, _sequence: int) -> Letter | None:
    """That a request for a time has arrived; None without an address, or once the desk has settled it."""
    request = get_request(request_id)
    if request is None or request.email is None or request.outcome is not None:
        return None
    return render_letter("request", to=request.email, person=request.name)


def write_thanks(request_id: UUID, _sequence: int) -> Letter | None:
    """To a practice that referred somebody: that a visit was booked, not for whom. None unless that is agreed."""
    request = get_request(request_id)
    if request is None or not request.referred or not request.referred["email"] or request.outcome != BOOKED:
        return None
    return render_letter("thanks", to=request.referred["email"], asked_on=request.asked_at.astimezone(get_zone()))


def write_digest(about_id: UUID, day_number: int) -> Letter | None:
    """A clinician's next day: times and how people come, no names; None when the day has begun or is empty."""
    provider, day = get_provider(about_id.int), date.fromordinal(day_number)
    if provider is None or provider.email is None:
        return None
    visits = [v for v in list_visits_of_day(provider.id, day) if v.slot.starts_at > clock.now()]
    if not visits:
        return None
    return render_letter(
        "digest",
        to=provider.email,
        unsubscribe=f"mailto:{current_settings().sender}?subject=No%20daily%20mail",
        day=day,
        visits=visits,
        day_url=f"{current_settings().address}/desk/day/{day.isoformat()}",
    )


def write_cancelled(appointment_id: UUID, sequence: int) -> Letter | None:
    """That the visit is cancelled; takes it out of the calendar. None once it has been taken up again."""
    appointment = _still(appointment_id, sequence, Status.CANCELLED)
    return _letter("cancelled", appointment, CANCEL) if appointment else None


def _still(appointment_id: UUID, sequence: int, status: Status) -> Appointment | None:
    appointment = get_appointment(appointment_id)
    if appointment is None or appointment.ics_sequence != sequence or appointment.status != status:
        return None
    return appointment if appointment.patient.email else None


def _to_come(appointment_id: UUID, sequence: int) -> Appointment | None:
    appointment = _still(appointment_id, sequence, Status.BOOKED)
    return appointment if appointment and appointment.stands else None


def _letter(kind: str, appointment: Appointment, method: str) -> Letter:
    return render_letter(
        kind,
        calendar=build_entry(appointment, method),
        calendar_method=method,
        **_facts(appointment),
    )


def _facts(appointment: Appointment) -> dict[str, Any]:
    """What letters say of a visit; without a `manage_url` once its link has ended.

    `there` is when it is by the patient's own clocks, where that is another time.
    """
    live = links.is_live(appointment)
    return {
        "to": appointment.patient.email,
        "appointment": appointment,
        "slot": appointment.slot,
        "there": moment_there(appointment.slot, appointment.visit_type, appointment.patient_zone),
        "manage_url": url_for("visit.show_visit", key=appointment.token, _external=True) if live else None,
        "can_change": live and can_change(appointment, after=READ_WITHIN),
    }
