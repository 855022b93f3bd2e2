"""The table of assessments."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.columns import EncryptedJSON, UtcDateTime
from portal.core.db import Base


class Assessment(Base):
    """One revision of a person's answers. Those of a finished one are never edited: a change starts the next."""

    __tablename__ = "assessment"
    __table_args__ = (UniqueConstraint("journey_id", "revision"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    revision: Mapped[int]
    questionnaire_version: Mapped[str] = mapped_column(String(20))
    answers: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJSON)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    signs_answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # those of that moment
    furthest: Mapped[int] = mapped_column(default=0)  # the last screen answered: shows where people stop
    kept: Mapped[bool] = mapped_column(default=False)  # a visit refers to it; others go after a month
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lane: Mapped[str | None] = mapped_column(String(12))
    result: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)


class ResumeLink(Base):
    """A way back to an assessment on another day or device, sent by mail. It says nothing of the answers."""

    __tablename__ = "resume_link"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id", ondelete="CASCADE"))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    secrets: Mapped[dict[str, str]] = mapped_column(EncryptedJSON)  # address, token and code, for the mail
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
