"""A connection of one's own, for who asks the database again and again, such as a worker that sends mail.

It is taken from the pool once, so that it is not asked each time whether it still stands; where it has broken, its
next use opens another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Transaction

from portal.core.db import db, taking_turns


@contextmanager
def own_connection() -> Iterator[Connection]:
    """The connection."""
    db.session.rollback()  # lets go of the session's
    with db.engine.connect() as connection:
        yield connection


@contextmanager
def writing(connection: Connection, lasting: bool) -> Iterator[Transaction]:
    """A transaction as of `transactional`, or as of `transactional_for_now`; it is never tried again."""
    _prepare(connection, writes=True, lasting=lasting)
    with taking_turns(), connection.begin() as transaction:
        yield transaction


@contextmanager
def writing_once(connection: Connection) -> Iterator[None]:
    """As `writing` what lasts, for one statement: PostgreSQL need not be told where such a transaction ends."""
    _prepare(connection, writes=True, alone=True)
    with taking_turns(), connection.begin():
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
    options: dict[str, object] = {"writes": writes, "lasting": lasting}
    if connection.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT" if alone else "READ COMMITTED"
    if not options.items() <= connection.get_execution_options().items():  # looking is cheaper than setting
        connection.execution_options(**options)
