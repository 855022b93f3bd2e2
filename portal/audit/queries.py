"""What pages ask of the audit trail."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select

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
