"""What somebody at the desk has just done, with the way back while nobody has been told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.booking.desk import can_undo
from portal.booking.history import list_recent_changes
from portal.booking.models import VisitChange
from portal.core.pages import moment_in_words
from portal.frontdesk.acting import get_staff_id
from portal.frontdesk.moving import compare, way_of
from portal.frontdesk.privacy import who
from portal.notifications.models import OutgoingMail
from portal.notifications.queries import find_waiting
from portal.notifications.services import UNDO_WINDOW
from portal.scheduling.queries import find_visit_type, get_slot


@dataclass(frozen=True)
class Done:
    """A change of a visit, in words, with the mail about it that still waits."""

    change: VisitChange
    words: str
    mail: OutgoingMail | None

    @property
    def until(self) -> datetime:
        """When it is no news any more."""
        return self.change.done_at + UNDO_WINDOW


def list_undoable() -> list[Done]:
    """The latest things that whoever is signed in has done, newest first; three at most."""
    changes = [c for c in list_recent_changes(get_staff_id()) if can_undo(c.appointment, c)]
    if not changes:
        return []
    mails = {mail.about_id: mail for mail in find_waiting([change.appointment_id for change in changes])}
    return [Done(change, _words(change), mails.get(change.appointment_id)) for change in changes]


def _words(change: VisitChange) -> str:
    name, slot = who(change.appointment.patient), change.appointment.slot
    when = moment_in_words(slot.starts_at, slot.location.zone)
    if change.kind == "moved":
        return f"Moved {name} to {when}{_what_else(change)}"
    words = {
        "booked": f"Booked {name}: {when}",
        "cancelled": f"Cancelled {name}, {when}",
        "arrived": f"{name} has arrived",
        "checked-in": f"{name} is in the room",
        "fulfilled": f"{name}: done",
        "noshow": f"{name} did not come",
    }
    return words[change.kind]


def _what_else(move: VisitChange) -> str:
    """What a move has changed besides the time."""
    left, visit = get_slot(int(move.before["slot_id"] or 0)), move.appointment
    if left is None:
        return ""
    before = way_of(left, find_visit_type(int(move.before["visit_type_id"] or 0)))
    changed = compare(before, way_of(visit.slot, find_visit_type(visit.visit_type_id))).words
    return f", now {changed}" if changed else ""
