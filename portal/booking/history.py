"""What happened to a visit: each change, who made it and when, and how the visit was before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import joinedload

from portal import audit
from portal.booking.models import Appointment, VisitChange, VisitNote
from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import db
from portal.notifications.services import UNDO_WINDOW
from portal.scheduling.models import Slot

Before = dict[str, str | int | None]

# Built once: each page of the desk asks, and mostly there is none.
LATEST = (
    select(VisitChange.id)
    .join(VisitChange.appointment)
    .where(
        VisitChange.staff_id == bindparam("staff"),
        VisitChange.done_at > bindparam("since", type_=UtcDateTime),
        VisitChange.undone_at.is_(None),
        VisitChange.version == Appointment.version,
    )
    .order_by(VisitChange.done_at.desc())
    .limit(3)
)


def snapshot(appointment: Appointment) -> Before:
    """What a change can change of a visit, as it is now."""
    return {
        "status": str(appointment.status),
        "slot_id": appointment.slot_id,
        "visit_type_id": appointment.visit_type_id,
        "cancel_reason": appointment.cancel_reason,
        "arrived_at": _written(appointment.arrived_at),
        "roomed_at": _written(appointment.roomed_at),
        "one_of_kind": appointment.one_of_kind,
    }


def read_moment(before: Before, name: str) -> datetime | None:
    """A moment of a snapshot."""
    written = before[name]
    return datetime.fromisoformat(str(written)) if written else None


def note_change(appointment: Appointment, kind: str, before: Before, staff_id: int | None = None) -> VisitChange:
    """Note a change of a visit that has been made, by staff or else by the patient; its version rises."""
    appointment.version += 1
    appointment.changed_at = clock.now()
    change = VisitChange(
        appointment=appointment,
        staff_id=staff_id,
        kind=kind,
        before=before,
        version=appointment.version,
        done_at=clock.now(),
    )
    db.session.add(change)
    audit.services.record(kind, f"appointment:{appointment.id}")
    return change


def list_changes(appointment_id: UUID) -> Sequence[VisitChange]:
    """All that happened to a visit since it was booked, oldest first."""
    return db.session.scalars(
        select(VisitChange).where(VisitChange.appointment_id == appointment_id).order_by(VisitChange.version)
    ).all()


def list_recent_changes(staff_id: int) -> Sequence[VisitChange]:
    """What a member of staff did in the last three minutes and nobody has changed since, newest first."""
    latest = db.session.scalars(LATEST, {"staff": staff_id, "since": clock.now() - UNDO_WINDOW}).all()
    if not latest:
        return []
    return db.session.scalars(
        select(VisitChange)
        .where(VisitChange.id.in_(latest))
        .options(
            joinedload(VisitChange.appointment).joinedload(Appointment.patient),
            joinedload(VisitChange.appointment).joinedload(Appointment.slot).joinedload(Slot.location),
        )
        .order_by(VisitChange.done_at.desc())
    ).all()


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def get_change(change_id: UUID) -> VisitChange | None:
    """The change of that id."""
    return db.session.get(VisitChange, change_id)


def find_last_change(appointment: Appointment) -> VisitChange | None:
    """What was done to a visit last; None when it is as it was booked by its patient."""
    return db.session.scalar(
        select(VisitChange).where(
            VisitChange.appointment_id == appointment.id, VisitChange.version == appointment.version
        )
    )


def find_as_seen(appointment: Appointment, version: int) -> Before | None:
    """How a visit was at an earlier version; None for a version that never was."""
    change = db.session.scalar(
        select(VisitChange).where(
            VisitChange.appointment_id == appointment.id,
            VisitChange.version == version + 1,
            VisitChange.kind != "booked",  # before which there was no visit
        )
    )
    return change.before if change else None


def list_notes(appointment_id: UUID) -> Sequence[VisitNote]:
    """The notes to a visit, oldest first."""
    return db.session.scalars(
        select(VisitNote).where(VisitNote.appointment_id == appointment_id).order_by(VisitNote.id)
    ).all()
