"""The table of the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.columns import JSONText, UtcDateTime
from portal.core.db import Base


class AuditEntry(Base):
    """One thing that somebody did. Never changed, and deleted only from its oldest end; holds no clinical value."""

    __tablename__ = "audit_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    actor: Mapped[str] = mapped_column(String(80))
    action: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(120), index=True)
    screen: Mapped[str | None] = mapped_column(String(80))  # the endpoint, or the command; None before it was noted
    details: Mapped[dict[str, Any]] = mapped_column(JSONText)
    previous: Mapped[str] = mapped_column(String(64))
    seal: Mapped[str] = mapped_column(String(64), unique=True)
