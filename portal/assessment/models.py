"""The table of assessments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, EncryptedJSON, UtcDateTime


class Assessment(Base):
    """One revision of a person's answers. A finished one is never edited: a change starts the next."""

    __tablename__ = "assessment"
    __table_args__ = (UniqueConstraint("journey_id", "revision"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    revision: Mapped[int]
    questionnaire_version: Mapped[str] = mapped_column(String(20))
    answers: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJSON)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lane: Mapped[str | None] = mapped_column(String(12))
    result: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
