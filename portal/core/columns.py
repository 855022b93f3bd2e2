"""Our own types of columns: instants with their zone, JSON, and what is encrypted at rest."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, String, Text, TypeDecorator

from portal.core import crypto


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: stored in UTC, given back with its zone. A time without a zone is refused."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=dialect.name == "postgresql"))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


class _Encrypted(TypeDecorator[Any]):
    """Encrypted at rest; assign a new value to change it."""

    impl: Any = LargeBinary

    class comparator_factory(TypeDecorator.Comparator[Any]):  # noqa: N801 - SQLAlchemy's name
        """Two cipher texts of one value differ: whoever looks for one must look for its hash."""

        def operate(self, op: Any, *other: Any, **kwargs: Any) -> Any:
            if other and isinstance(other[0], str | int | dict | list):
                raise TypeError("an encrypted column cannot be compared: use a keyed hash beside it")
            return super().operate(op, *other, **kwargs)


class EncryptedJSON(_Encrypted):
    """Any JSON value, encrypted at rest."""

    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else crypto.encrypt(json.dumps(value).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(crypto.decrypt(value))


class EncryptedText(_Encrypted):
    """Text, encrypted at rest, in a column that held it readable before.

    What was stored before is read as it is, until `flask keys rotate` has encrypted it. `length` is what such a
    column was declared with: SQLite never minded it and keeps it in its schema.
    """

    impl = Text
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__()
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return String(self.length) if self.length and dialect.name == "sqlite" else Text()

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else crypto.encrypt(self.write(value).encode()).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        encrypted = value.startswith(crypto.SIGN_OF_CIPHER)
        return self.read(crypto.decrypt(value.encode()).decode() if encrypted else value)

    def write(self, value: Any) -> str:
        """What is encrypted of a value."""
        return str(value)

    def read(self, plain: str) -> Any:
        """The value that was encrypted so."""
        return plain


class EncryptedJSONText(EncryptedText):
    """As `EncryptedText`, for a JSON value."""

    cache_ok = True

    def write(self, value: Any) -> str:
        return json.dumps(value)

    def read(self, plain: str) -> Any:
        return json.loads(plain)


class JSONText(TypeDecorator[Any]):
    """A small JSON value that is no health data, readable in the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
