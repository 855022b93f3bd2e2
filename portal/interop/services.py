"""What is noted when somebody takes data out."""

from uuid import UUID

from portal import audit
from portal.core.db import transactional


@transactional
def record_response_read(assessment_id: UUID) -> None:
    """Note that somebody read the answers of an assessment."""
    audit.services.record("answers-read", f"assessment:{assessment_id}")
