"""Calendar entries of visits: neutral words, because calendars are shared with family and employers.

The library escapes and folds what is written here; its own components take ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from portal.booking.models import Appointment, Status
from portal.config import current_settings
from portal.core import clock
from portal.scheduling.contact import get_contact
from portal.scheduling.models import Mode

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
ALARMS = ("-P1D", "-PT2H")  # before a visit
REFRESH = "PT1H"  # how often a program that subscribes should ask again
LONGEST = 74  # bytes in a line, after which it is folded


def build_entry(appointment: Appointment, method: str) -> bytes:
    """A patient's visit as iCalendar (RFC 5545, 5546): times in UTC; the same UID for life, a rising SEQUENCE."""
    return _calendar(method, _entry(appointment, method))


def build_feed(name: str, visits: Iterable[Appointment]) -> bytes:
    """Visits as a calendar of that name to subscribe to; it tells nothing of patients but their references."""
    about = [
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}",
        f"X-PUBLISHED-TTL:{REFRESH}",  # what older programs look for
    ]
    return _calendar(PUBLISH, chain(about, *map(_feed_entry, visits)))


def _calendar(method: str, content: Iterable[str]) -> bytes:
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//portal//appointments//EN", f"METHOD:{method}"]
    return b"".join(_fold(line) + b"\r\n" for line in chain(head, content, ["END:VCALENDAR"]))


def _entry(appointment: Appointment, method: str) -> list[str]:
    clinic, patient = get_contact(), appointment.patient
    summary = f"Appointment – {clinic.short_name}"
    words = f"Reference {appointment.reference}. To change or cancel, see your e-mail or call {clinic.phone}."
    more = [f"DESCRIPTION:{_text(words)}", _person("ORGANIZER", current_settings().sender, CN=clinic.short_name)]
    if method != PUBLISH and patient.email:
        more.append(_person("ATTENDEE", patient.email, CN=patient.name, PARTSTAT="ACCEPTED", RSVP="FALSE"))
    alarms = [] if method == CANCEL else [line for before in ALARMS for line in _alarm(summary, before)]
    return _event(appointment, summary, method == CANCEL, more, alarms)


def _feed_entry(visit: Appointment) -> list[str]:
    organizer = _person("ORGANIZER", current_settings().sender)
    return _event(visit, f"Visit {visit.reference}", visit.status == Status.CANCELLED, [organizer])


def _event(
    appointment: Appointment, summary: str, cancelled: bool, more: Iterable[str], alarms: Iterable[str] = ()
) -> list[str]:
    rest = [
        "CLASS:PRIVATE",
        f"LOCATION:{_text(_where(appointment))}",
        "STATUS:CANCELLED" if cancelled else "STATUS:CONFIRMED",
        "TRANSP:TRANSPARENT" if cancelled else "TRANSP:OPAQUE",
        *more,
    ]
    return [
        "BEGIN:VEVENT",
        f"SUMMARY:{_text(summary)}",
        f"DTSTART:{_moment(appointment.slot.starts_at)}",
        f"DTEND:{_moment(appointment.slot.ends_at)}",
        f"DTSTAMP:{_moment(clock.now())}",
        f"UID:{_text(appointment.ics_uid)}",
        f"SEQUENCE:{appointment.ics_sequence}",
        *sorted(rest),
        *alarms,
        "END:VEVENT",
    ]


def _alarm(words: str, before: str) -> list[str]:
    return ["BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{_text(words)}", f"TRIGGER:{before}", "END:VALARM"]


def _person(role: str, address: str, **about: str) -> str:
    from icalendar.parser import Parameters  # here and below: most web processes write no entry

    parameters = f";{Parameters(about).to_ical().decode()}" if about else ""
    return f"{role}{parameters}:mailto:{address}"


def _where(appointment: Appointment) -> str:
    if appointment.visit_type.mode == Mode.IN_PERSON:
        return ", ".join(appointment.slot.location.address.splitlines())
    return "By phone" if appointment.visit_type.mode == Mode.PHONE else "By video"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    from icalendar import vText

    return vText(words).to_ical().decode()


def _fold(line: str) -> bytes:
    from icalendar.parser import Contentline

    plain = line.encode()
    return plain if len(plain) <= LONGEST else bytes(Contentline(line).to_ical())  # type: ignore[no-untyped-call]
