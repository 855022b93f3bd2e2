"""What staff do at the desk, noted in the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
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
def record_ledger_seen(since: date, until: date) -> None:
    """Note that somebody looked at the counts of these days: two looks laid side by side tell more than one."""
    audit.services.record("ledger-seen", "ledger:1", since=since.isoformat(), until=until.isoformat())


@transactional
def record_visit_seen(appointment_id: UUID) -> None:
    """Note that somebody looked at a visit."""
    audit.services.record("visit-seen", f"appointment:{appointment_id}")


@transactional
def record_list_seen(name: str) -> None:
    """Note that somebody looked at a list of patients."""
    audit.services.record("list-seen", f"list:{name}")


@transactional
def record_patients_found(patient_ids: Sequence[UUID]) -> None:
    """Note that somebody was shown these patients."""
    audit.services.record("patients-found", "patients", ids=[str(patient_id) for patient_id in patient_ids])


@transactional
def record_patient_seen(patient_id: UUID) -> None:
    """Note that somebody looked at a patient's page."""
    audit.services.record("patient-seen", f"patient:{patient_id}")


@transactional
def record_refused(action: str, asked: str) -> None:
    """Note that somebody was refused, and the number or name in the address that was asked for."""
    readable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in asked)
    audit.services.record(action, f"asked:{readable}"[:120])
