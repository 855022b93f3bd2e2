"""The command field: from a few letters to the patient, the day, the clinician or the action that is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from flask import url_for

from portal.access import may_use
from portal.booking.people import Match, find_patients
from portal.core.dates import YEARS
from portal.core.pages import date_in_words, long_day_in_words, moment_in_words, phone_in_words
from portal.core.text import search_key
from portal.frontdesk.dates import read_day, read_month
from portal.frontdesk.privacy import who
from portal.frontdesk.queries import get_today
from portal.scheduling.queries import list_providers

LONGEST = 100  # characters that are looked at
# What can be done or opened, by the words that find it.
ACTIONS = (
    ("Today", "frontdesk.show_today", "board day"),
    ("Book a caller, or a walk-in", "callers.open_call", "new appointment phone now"),
    ("Requests", "frontdesk.list_requests", "call back tasks"),
    ("Earlier-slot list", "waitlist_desk.show_list", "waitlist offers freed"),
    ("Mail that did not arrive", "mail.list_troubled", "bounced problems"),
    ("Closures", "diary.list_closures", "holiday sick close block lunch"),
    ("Why is a time not bookable?", "why.explain", "slot free"),
    ("Availability", "diary.list_availability", "opening hours slots open"),
    ("Set-up", "setup.show_setup", "clinic places clinicians types of visit settings"),
    ("Staff", "staff.list_staff", "accounts invite roles people passwords"),
    ("Open times of one day", "times.ask_open", "extra slots saturday"),
    ("Referrals", "ledger.show_ledger", "ledger funnel articles campaigns"),
    ("Referral links and QR codes", "ledger.list_links", "leaflet print"),
    ("Audit trail", "trail.show_trail", "who did what log history"),
    ("Export", "paper.ask_export", "csv spreadsheet download"),
    ("Calendars", "feeds.list_feeds", "feed subscribe"),
    ("Keys", "find.show_keys", "shortcuts keyboard help"),
)


@dataclass(frozen=True)
class Hit:
    """Something that is meant: its name, what tells it from others, and where it is."""

    words: str
    hint: str
    url: str
    patient_id: UUID | None = None


def find(text: str) -> list[Hit]:
    """What may be meant by a text, the likeliest first; only what whoever is signed in may open."""
    text = " ".join(text.split())[:LONGEST]
    finders: tuple[Callable[[str], Iterator[Hit]], ...] = (_find_days, _find_patients, _find_clinicians, _find_actions)
    return [hit for finder in finders for hit in finder(text)] if text else []


def choose(hits: list[Hit], text: str) -> Hit | None:
    """The one hit that is meant beyond doubt: the only one, or the only one that begins with these words."""
    beginning = [hit for hit in hits if search_key(hit.words).startswith(search_key(text))]
    return next((found[0] for found in (hits, beginning) if len(found) == 1), None)


def _find_days(text: str) -> Iterator[Hit]:
    today = get_today()
    if (day := read_day(text, today)) is not None and _is_shown(day):
        yield Hit(f"{long_day_in_words(day)}, {day.year}", "day", url_for("frontdesk.show_day", day=day.isoformat()))
    if (month := read_month(text, today)) is not None and _is_shown(month):
        yield Hit(f"{month:%B %Y}", "free times of the month", url_for("frontdesk.show_month", month=f"{month:%Y-%m}"))


def _find_patients(text: str) -> Iterator[Hit]:
    if may_use("patients.show_patient"):
        for match in find_patients(text):
            yield Hit(who(match.patient), _facts(match), _address(match), patient_id=match.patient.id)


def _find_clinicians(text: str) -> Iterator[Hit]:
    key = search_key(text).strip()
    if may_use("callers.open_call") and len(key) >= 2:
        for provider in list_providers():
            if f" {key}" in search_key(provider.name):
                day = get_today().isoformat()
                yield Hit(provider.name, "week", url_for("frontdesk.show_week", day=day, clinician=provider.id))


def _find_actions(text: str) -> Iterator[Hit]:
    key = search_key(text)
    for words, endpoint, also in ACTIONS:
        if key in search_key(f"{words} {also}") and may_use(endpoint):
            yield Hit(words, "open", url_for(endpoint))


def _facts(match: Match) -> str:
    patient, visit = match.patient, match.visit
    facts = [f"born {date_in_words(patient.date_of_birth)}", phone_in_words(patient.phone)]
    if visit is not None:
        when = moment_in_words(visit.slot.starts_at, visit.slot.location.zone)
        facts.append(f"{'next' if match.is_to_come else 'last'} {when}")
    return ", ".join(facts)


def _address(match: Match) -> str:
    if match.visit is not None and match.is_to_come:
        return url_for("frontdesk.show_visit", appointment_id=match.visit.id)
    return url_for("patients.show_patient", patient_id=match.patient.id)


def _is_shown(day: date) -> bool:
    return day.year in YEARS
