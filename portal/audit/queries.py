"""What pages ask of the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Text, and_, false, func, or_, select, type_coerce

from portal.audit.models import AuditEntry
from portal.core.db import db


def list_about(subject: str, actions: Collection[str], limit: int = 20) -> Sequence[AuditEntry]:
    """What was done to that, of these actions, the latest first."""
    query = select(AuditEntry).where(AuditEntry.subject == subject, AuditEntry.action.in_(actions))
    return db.session.scalars(query.order_by(AuditEntry.id.desc()).limit(limit)).all()


def find_latest(action: str, subjects: Collection[str]) -> dict[str, datetime]:
    """When that was done last to each of these, where it ever was."""
    query = select(AuditEntry.subject, func.max(AuditEntry.at)).group_by(AuditEntry.subject)
    rows = db.session.execute(query.where(AuditEntry.subject.in_(subjects), AuditEntry.action == action))
    return dict(rows.all())


def last_entry_at() -> datetime | None:
    """When the last entry of all was made."""
    return db.session.scalar(select(AuditEntry.at).order_by(AuditEntry.id.desc()).limit(1))


@dataclass(frozen=True)
class AuditFilter:
    """Which entries somebody wants to see; None means any."""

    actor: str | None = None  # like "staff:7"
    action: str | None = None
    subject: str | None = None
    subjects: Collection[str] | None = None  # of one person: any of these, or a list that names one of them
    screen: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_entries(wanted: AuditFilter, before_id: int | None = None, limit: int = 100) -> Sequence[AuditEntry]:
    """The entries that fit, the latest first; those before an id, for the next page."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    for column, value in (
        (AuditEntry.actor, wanted.actor),
        (AuditEntry.action, wanted.action),
        (AuditEntry.subject, wanted.subject),
        (AuditEntry.screen, wanted.screen),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.subjects is not None:
        query = query.where(_is_about(wanted.subjects))
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(AuditEntry.at < wanted.until)
    if before_id is not None:
        query = query.where(AuditEntry.id < before_id)
    return db.session.scalars(query).all()


def _is_about(subjects: Collection[str]) -> ColumnElement[bool]:
    ids = [subject.partition(":")[2] for subject in subjects if subject.startswith("patient:")]
    listed = (type_coerce(AuditEntry.details, Text).contains(id_) for id_ in ids)
    return or_(AuditEntry.subject.in_(subjects), and_(AuditEntry.subject == "patients", or_(false(), *listed)))


def list_screens() -> Sequence[str]:
    """All screens and commands from which something was ever done."""
    screens = select(AuditEntry.screen).where(AuditEntry.screen.is_not(None)).distinct()
    return [screen for screen in db.session.scalars(screens.order_by(AuditEntry.screen)) if screen]


def list_actions() -> Sequence[str]:
    """All that has ever been done, by name."""
    return db.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()
