"""What was last done to keep the portal running."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.columns import JSONText, UtcDateTime
from portal.core.db import Base


class OperationNote(Base):
    """When something was done last: the worker's sign of life, a backup, a restore."""

    __tablename__ = "operation_note"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    details: Mapped[dict[str, Any]] = mapped_column(JSONText)
