"""What staff do at the desk, noted in the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from portal import audit
from portal.core.db import transactional


@transactional
def record_day_seen(day: date) -> None:
    """Note that somebody looked at a day's visits."""
    audit.services.record("day-seen", f"day:{day.isoformat()}")


@transactional
def record_visit_seen(appointment_id: UUID) -> None:
    """Note that somebody looked at a visit."""
    audit.services.record("visit-seen", f"appointment:{appointment_id}")


@transactional
def record_patients_found(patient_ids: Sequence[UUID]) -> None:
    """Note that somebody was shown these patients."""
    audit.services.record("patients-found", "patients", ids=[str(patient_id) for patient_id in patient_ids])


@transactional
def record_patient_seen(patient_id: UUID) -> None:
    """Note that somebody looked at a patient's page."""
    audit.services.record("patient-seen", f"patient:{patient_id}")
