"""The database: one session, one way to open a transaction, and our own column types."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    event,
    inspect,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase

from portal.config import Settings, resource_folder
from portal.core import crypto

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 3
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
SQLITE_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000")

# expire_on_commit off: a page shows what its transaction wrote without reading it again.
db = SQLAlchemy(session_options={"expire_on_commit": False}, add_models_to_shell=False)


class Base(DeclarativeBase):
    """What every table derives from; the names let code tell which constraint refused."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def init_app(app: Flask, settings: Settings) -> None:
    app.config["SQLALCHEMY_DATABASE_URI"] = settings.database
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {"pool_pre_ping": True, "hide_parameters": True}
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    db.init_app(app)
    Migrate(app, db, directory=str(resource_folder("migrations")))


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None  # the driver opens no transaction of its own; _begin does
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.connection.driver_connection.execute(f"BEGIN {kind}")  # type: ignore[union-attr]


def transactional(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run the function in one transaction: all of it happens or none of it.

    Called inside another transactional function it joins that one. A writer takes SQLite's lock when it
    begins, so that it never reads first and finds the lock gone; PostgreSQL's deadlocks are tried again.
    """

    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if db.session.info.get("in_transaction"):
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _transaction():
                    return function(*args, **kwargs)
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _worth_another_try(error):
                    raise
        raise AssertionError("unreachable")

    return wrapper


class _SeenEnough(Exception):
    """Ends a transaction whose result is wanted and whose changes are not."""


def look_ahead(function: Callable[[], Result]) -> Result:
    """What a transactional function would return; everything that it changes is undone."""
    seen: list[Result] = []

    @transactional
    def do_and_undo() -> None:
        seen.append(function())
        raise _SeenEnough

    with suppress(_SeenEnough):
        do_and_undo()
    return seen[-1]


@contextmanager
def _transaction() -> Iterator[None]:
    session = db.session
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transactional function")
    session.rollback()  # ends the reading transaction: what follows sees the present
    session.info["in_transaction"] = True
    try:
        session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


def _worth_another_try(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in {SERIALIZATION_FAILURE, DEADLOCK}


def insert_once(model: type[Base], **values: Any) -> bool:
    """Insert a row unless one with the same unique key stands already; say whether it was inserted."""
    keys = inspect(model).primary_key
    statement = insert_into(model).values(**values).on_conflict_do_nothing().returning(*keys)
    return db.session.execute(statement).first() is not None


def insert_into(model: type[Base]) -> Any:
    """An INSERT of the database in use, which knows ON CONFLICT."""
    dialect = db.session.get_bind().dialect.name
    return postgresql.insert(model) if dialect == "postgresql" else sqlite.insert(model)


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


class EncryptedJSON(TypeDecorator[Any]):
    """Any JSON value, encrypted at rest. Assign a new value to change it; it cannot be searched."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> bytes | None:
        return None if value is None else crypto.encrypt(json.dumps(value).encode())

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(crypto.decrypt(value))


class JSONText(TypeDecorator[Any]):
    """A small JSON value that is no health data, readable in the database."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json.dumps(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)
