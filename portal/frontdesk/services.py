"""What staff do at the desk, noted in the audit trail."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from portal import audit
from portal.core.db import transactional


@transactional
def record_day_seen(day: date) -> None:
    """Note that somebody looked at a day's visits."""
    audit.services.record("day-seen", f"day:{day.isoformat()}")


@transactional
def record_ledger_seen(since: date, until: date) -> None:
    """Note that somebody looked at the counts of these days: two looks laid side by side tell more than one."""
    audit.services.record("ledger-seen", "ledger:1", since=since.isoformat(), until=until.isoformat())


@transactional
def record_visit_seen(appointment_id: UUID) -> None:
    """Note that somebody looked at a visit."""
    audit.services.record("visit-seen", f"appointment:{appointment_id}")
