"""Whether what is encrypted in the database can be read with the keys of the settings."""

from __future__ import annotations

from typing import Any

from cryptography.fernet import InvalidToken
from sqlalchemy import Column, select

from portal.core.db import db
from portal.core.keys import list_encrypted


def find_unreadable() -> str | None:
    """The first encrypted column whose first or last value no key opens; None when all do."""
    closed = (column for column in list_encrypted() if not _opens(column))
    return next((f"{column.table.name}.{column.name}" for column in closed), None)


def _opens(column: Column[Any]) -> bool:
    keys = column.table.primary_key.columns
    values = select(column).where(column.is_not(None)).limit(1)
    try:
        for order in ([key.asc() for key in keys], [key.desc() for key in keys]):
            db.session.execute(values.order_by(*order)).all()
    except InvalidToken:
        return False
    return True
