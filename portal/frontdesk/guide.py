"""The way from an empty database to the first time that a patient can book."""

from __future__ import annotations

from typing import NamedTuple

from flask import url_for

from portal.core.pages import moment_in_words
from portal.scheduling import queries
from portal.scheduling.free_times import list_free_slots
from portal.scheduling.queries import NoClinic
from portal.scheduling.set_up import get_set_up


class Step(NamedTuple):
    """One step: where it is done, what is there already, or what it is good for."""

    words: str
    url: str
    found: str
    help: str

    @property
    def done(self) -> bool:
        return bool(self.found)


def list_steps() -> list[Step]:
    """All steps in their order."""
    return [
        Step("The clinic", url_for("setup.show_clinic"), _clinic(), "Its name, its phone, and when mail leaves."),
        _entries("A place", "places", queries.list_locations(), "Where people are seen, and by which clocks."),
        _entries("A clinician", "clinicians", queries.list_providers(), "Who sees patients."),
        _entries("A type of visit", "visit-types", queries.list_visit_types(), "How long, and who may book it online."),
        Step(
            "Availability",
            url_for("diary.list_availability"),
            _availability(),
            "When a clinician offers a type of visit; the times open at once.",
        ),
        Step("Times are open", url_for("booking.choose_slot"), _first_free(), _why_none()),
    ]


def is_complete() -> bool:
    """Whether patients find a time, or did: the guide has nothing more to say once there is availability."""
    return all(step.done for step in list_steps()[:-1])


def _clinic() -> str:
    try:
        return queries.get_clinic().name
    except NoClinic:
        return ""


def _entries(words: str, section: str, rows: object, help: str) -> Step:
    names = ", ".join(row.name for row in rows)  # type: ignore[attr-defined]
    return Step(words, url_for("setup.list_entries", section=section), names, help)


def _availability() -> str:
    count = len(queries.list_availability())
    return f"{count} in use" if count else ""


def _first_free() -> str:
    free = list_free_slots("consult", 1)
    return f"from {moment_in_words(free[0].starts_at, free[0].location.zone)}" if free else ""


def _why_none() -> str:
    if queries.list_availability() and not get_set_up().bookable_types("consult"):
        return "No type of visit may be booked online yet: say so at the type. Until then the desk books by phone."
    return "This is done by itself: patients see the first free time here."
