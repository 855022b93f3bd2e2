"""What staff do at the desk, noted in the audit trail."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from portal import audit
from portal.core.db import transactional


@transactional
def record_seen(page: str) -> None:
    """Note that somebody looked at the visits of a page, named like "day:2026-11-18" or "sheet:2026-11-18"."""
    audit.services.record(f"{page.partition(':')[0]}-seen", page)


@transactional
def record_exported(first: date, last: date, visits: int) -> None:
    """Note that somebody took the visits of these days away as a file."""
    audit.services.record("exported", f"day:{first.isoformat()}", until=last.isoformat(), visits=visits)


@transactional
def record_visit_seen(appointment_id: UUID) -> None:
    """Note that somebody looked at a visit."""
    audit.services.record("visit-seen", f"appointment:{appointment_id}")


@transactional
def record_search(found: int) -> None:
    """Note that somebody searched, and how much was found; not for what."""
    audit.services.record("searched", "desk", found=found)


@transactional
def record_list_seen(name: str) -> None:
    """Note that somebody looked at a list of patients."""
    audit.services.record("list-seen", f"list:{name}")
