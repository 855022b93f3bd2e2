"""Who changed what in the set-up, and when, as sentences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from portal.accounts.queries import name_actors
from portal.audit.queries import list_about
from portal.frontdesk.seen_form import SeenForm

# What each action is called; "signed-in" and the like are no history of this.
ACTIONS = {
    "setup-added": "Added",
    "setup-changed": "Changed",
    "clinic-loaded": "Loaded from a file",
    "availability-saved": "Offered",
    "availability-ended": "Ended",
    "staff-added": "Added",
    "staff-invited": "Invited by mail",
    "invitation-accepted": "Password chosen",
    "staff-changed": "Changed",
    "staff-disabled": "Closed",
    "staff-reset": "Reset",
    "second-step-reset": "Second step reset",
    "staff-signed-out": "Signed out everywhere",
}


class Line(NamedTuple):
    """One thing that was done."""

    at: datetime
    what: str
    who: str
    changes: list[str]


def write_history(subject: str, form: SeenForm) -> list[Line]:
    """What was done to that, the latest first, in the words of the form that edits it."""
    entries = list_about(subject, ACTIONS)
    names = name_actors(entry.actor for entry in entries)
    return [
        Line(entry.at, ACTIONS[entry.action], names[entry.actor], list(_changes(entry.details, form)))
        for entry in entries
    ]


def _changes(details: dict[str, Any], form: SeenForm) -> Iterable[str]:
    for name, change in details.get("changes", {}).items():
        label = form.label_of(name)
        if change is None:
            yield f"{label}: changed"
        else:
            before, after = (form.in_words(name, value) for value in change)
            yield f"{label}: from “{before}” to “{after}”"
