"""The calendar entry of a visit: neutral words, because calendars are shared with family and employers."""

from __future__ import annotations

from icalendar import Calendar, Event, vCalAddress, vText

from portal.booking.models import Appointment
from portal.config import current_settings
from portal.core import clock
from portal.scheduling.models import Mode
from portal.scheduling.queries import get_clinic

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"


def build_entry(appointment: Appointment, method: str) -> bytes:
    """An iCalendar object (RFC 5545, 5546) with times in UTC; the same UID for life, a rising SEQUENCE."""
    calendar = Calendar()
    calendar.add("prodid", "-//portal//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(_event(appointment, method))
    return bytes(calendar.to_ical())


def _event(appointment: Appointment, method: str) -> Event:
    clinic, slot = get_clinic(), appointment.slot
    event = Event()
    event.add("uid", appointment.ics_uid)
    event.add("sequence", appointment.ics_sequence)
    event.add("dtstamp", clock.now())
    event.add("dtstart", slot.starts_at)
    event.add("dtend", slot.ends_at)
    event.add("summary", f"Appointment – {clinic.short_name}")
    event.add("location", _where(appointment))
    event.add(
        "description",
        f"Reference {appointment.reference}. To change or cancel, see your e-mail or call {clinic.phone}.",
    )
    event.add("status", "CANCELLED" if method == CANCEL else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    event["organizer"] = _person(current_settings().sender, clinic.short_name)
    if method != PUBLISH:
        attendee = _person(appointment.patient.email, appointment.patient.name)
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        attendee.params["RSVP"] = vText("FALSE")
        event.add("attendee", attendee, encode=False)
    return event


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(name)
    return person


def _where(appointment: Appointment) -> str:
    if appointment.visit_type.mode == Mode.IN_PERSON:
        return ", ".join(appointment.slot.location.address.splitlines())
    return "By phone" if appointment.visit_type.mode == Mode.PHONE else "By video"
