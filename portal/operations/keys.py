"""Whether what is encrypted in the database can be read with the keys of the settings."""

from __future__ import annotations

from cryptography.fernet import InvalidToken
from sqlalchemy import Column, select

from portal.core.db import Base, db


def find_unreadable() -> str | None:
    """The first encrypted column whose first or last value no key opens; None when all do."""
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if _is_encrypted(column) and not _opens(column):
                return f"{table.name}.{column.name}"
    return None


def _is_encrypted(column: Column[object]) -> bool:
    return type(column.type).__name__.startswith("Encrypted")


def _opens(column: Column[object]) -> bool:
    keys = column.table.primary_key.columns
    values = select(column).where(column.is_not(None)).limit(1)
    try:
        for order in ([key.asc() for key in keys], [key.desc() for key in keys]):
            db.session.execute(values.order_by(*order)).all()
    except InvalidToken:
        return False
    return True
