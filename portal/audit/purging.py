"""The oldest end of the audit trail goes when its time is over; what stays says up to where, so that it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, select

from portal.audit.models import AuditEntry
from portal.audit.services import record
from portal.audit.verification import PURGED
from portal.core.db import db


def find_oldest(before: datetime) -> Select[int]:
    """The ids of the entries at the old end, up to the first that is newer; the last of all always stays."""
    newer = select(func.min(AuditEntry.id)).where(AuditEntry.at >= before).scalar_subquery()
    last = select(func.max(AuditEntry.id)).scalar_subquery()
    return select(AuditEntry.id).where(AuditEntry.id < func.coalesce(newer, last)).order_by(AuditEntry.id)


def remove_oldest(ids: Sequence[int]) -> None:
    """Take these away, which are the oldest, and note the seal that the next one builds on."""
    last = db.session.get_one(AuditEntry, ids[-1])
    record(PURGED, "audit:1", count=len(ids), until_id=last.id, seal=last.seal)
    db.session.execute(delete(AuditEntry).where(AuditEntry.id.in_(ids)).execution_options(synchronize_session=False))
