"""Who is at the desk, and which visits that person may see."""

from __future__ import annotations

from uuid import UUID

from flask import abort
from flask_login import current_user

from portal.accounts.services import StaffRole
from portal.booking.models import Appointment, Status, VisitChange
from portal.booking.queries import get_appointment

CLINICIANS_SET = frozenset({Status.CHECKED_IN, Status.FULFILLED})


def get_staff_id() -> int:
    """The account that is signed in."""
    return int(current_user.id)


def sees_own_only() -> bool:
    """Whether somebody sees the own diary only: a clinician, who is nothing else besides."""
    return not any(current_user.has_role(role) for role in (StaffRole.FRONT_DESK.value, StaffRole.MANAGER.value))


def may_set(status: Status) -> bool:
    """Whether whoever is signed in may bring a visit to that state: clinicians say who is in the room, and done."""
    return not sees_own_only() or status in CLINICIANS_SET


def may_undo(change: VisitChange) -> bool:
    """Whether whoever is signed in may undo that: clinicians what they did themselves."""
    return not sees_own_only() or change.staff_id == get_staff_id()


def visible_provider_id() -> int | None:
    """Whose diary a clinician sees; None for staff who see all. 0, which nobody has, for an account without one."""
    return (current_user.provider_id or 0) if sees_own_only() else None


def visit_or_404(appointment_id: UUID) -> Appointment:
    """The visit, if whoever is signed in may see it: what is somebody else's looks like what does not exist."""
    appointment = get_appointment(appointment_id) or abort(404)
    provider_id = visible_provider_id()
    return appointment if provider_id in {None, appointment.slot.provider_id} else abort(404)
