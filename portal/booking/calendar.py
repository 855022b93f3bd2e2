"""Calendar entries of visits: neutral words, because calendars are shared with family and employers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from icalendar import Alarm, Calendar, Event, vCalAddress, vDuration, vText

from portal.booking.models import Appointment, Status
from portal.config import current_settings
from portal.core import clock
from portal.scheduling.models import Mode
from portal.scheduling.queries import get_clinic

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
ALARMS = (timedelta(days=1), timedelta(hours=2))  # before a visit
REFRESH = timedelta(hours=1)  # how often a program that subscribes should ask again


def build_entry(appointment: Appointment, method: str) -> bytes:
    """A patient's visit as iCalendar (RFC 5545, 5546): times in UTC; the same UID for life, a rising SEQUENCE."""
    calendar = _calendar(method)
    calendar.add_component(_entry(appointment, method))
    return bytes(calendar.to_ical())


def build_feed(name: str, visits: Iterable[Appointment]) -> bytes:
    """Visits as a calendar of that name to subscribe to; it tells nothing of patients but their references."""
    calendar = _calendar(PUBLISH)
    calendar["name"] = calendar["x-wr-calname"] = vText(name)
    calendar.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    calendar["x-published-ttl"] = vDuration(REFRESH)  # what older programs look for
    for visit in visits:
        calendar.add_component(_feed_entry(visit))
    return bytes(calendar.to_ical())


def _calendar(method: str) -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", "-//portal//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    return calendar


def _entry(appointment: Appointment, method: str) -> Event:
    clinic = get_clinic()
    event = _event(appointment, f"Appointment – {clinic.short_name}", cancelled=method == CANCEL)
    event.add(
        "description",
        f"Reference {appointment.reference}. To change or cancel, see your e-mail or call {clinic.phone}.",
    )
    event["organizer"] = _person(current_settings().sender, clinic.short_name)
    if method != PUBLISH and appointment.patient.email:
        attendee = _person(appointment.patient.email, appointment.patient.name)
        attendee.params["PARTSTAT"] = vText("ACCEPTED")
        attendee.params["RSVP"] = vText("FALSE")
        event.add("attendee", attendee, encode=False)
    if method != CANCEL:
        _add_alarms(event)
    return event


def _feed_entry(visit: Appointment) -> Event:
    event = _event(visit, f"Visit {visit.reference}", cancelled=visit.status == Status.CANCELLED)
    event["organizer"] = vCalAddress(f"mailto:{current_settings().sender}")
    return event


def _event(appointment: Appointment, summary: str, cancelled: bool) -> Event:
    event = Event()
    event.add("uid", appointment.ics_uid)
    event.add("sequence", appointment.ics_sequence)
    event.add("dtstamp", clock.now())
    event.add("dtstart", appointment.slot.starts_at)
    event.add("dtend", appointment.slot.ends_at)
    event.add("summary", summary)
    event.add("location", _where(appointment))
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT" if cancelled else "OPAQUE")
    return event


def _add_alarms(event: Event) -> None:
    for before in ALARMS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", event["summary"])
        alarm.add("trigger", -before)
        event.add_component(alarm)


def _person(address: str, name: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    person.params["CN"] = vText(name)
    return person


def _where(appointment: Appointment) -> str:
    if appointment.visit_type.mode == Mode.IN_PERSON:
        return ", ".join(appointment.slot.location.address.splitlines())
    return "By phone" if appointment.visit_type.mode == Mode.PHONE else "By video"
