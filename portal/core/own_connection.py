"""A connection of one's own, for who asks the database again and again, such as a worker that sends mail.

It is taken from the pool once, so that it is not asked each time whether it still stands; where it has broken, its
next use opens another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Transaction

from portal.core.db import db


@contextmanager
def own_connection() -> Iterator[Connection]:
    """The connection, given back to the pool as it was."""
    db.session.rollback()  # lets go of the session's
    with db.engine.connect() as connection:
        try:
            yield connection
        finally:
            if not connection.invalidated:
                _let_commit_by_itself(connection, False)


@contextmanager
def writing(connection: Connection, lasting: bool) -> Iterator[Transaction]:
    """A transaction as of `transactional`, or as of `transactional_for_now`; it is never tried again."""
    _prepare(connection, writes=True, lasting=lasting)
    with connection.begin() as transaction:
        yield transaction


@contextmanager
def writing_once(connection: Connection) -> Iterator[None]:
    """As `writing` what lasts, for one statement: PostgreSQL need not be told where such a transaction ends."""
    _prepare(connection, writes=True, alone=True)
    with connection.begin():
        yield


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """Let the session read over the connection."""
    _prepare(connection, alone=True)
    db.session.rollback()
    db.session.connection(bind_arguments={"bind": connection})
    try:
        yield
    finally:
        db.session.rollback()


def _prepare(connection: Connection, writes: bool = False, lasting: bool = True, alone: bool = False) -> None:
    connection.execution_options(writes=writes, lasting=lasting)
    _let_commit_by_itself(connection, alone)


def _let_commit_by_itself(connection: Connection, alone: bool) -> None:
    """Told to the driver, as the connection's `isolation_level` would keep a note of each change until it is closed."""
    if connection.dialect.name == "postgresql":
        driver: Any = connection.connection.driver_connection
        if driver.autocommit is not alone and not driver.closed:
            driver.autocommit = alone
