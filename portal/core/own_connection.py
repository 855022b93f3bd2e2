"""A connection of one's own, for who asks the database again and again, such as a worker that sends mail.

It is taken from the pool once, so that it is not asked each time whether it still stands; where it has broken, its
next use opens another.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Transaction

from portal.core.db import db


@contextmanager
def own_connection() -> Iterator[Connection]:
    """The connection, given back to the pool as it was."""
    db.session.rollback()  # lets go of the session's
    with db.engine.connect() as connection:
        yield connection


@contextmanager
def writing(connection: Connection, lasting: bool) -> Iterator[Transaction]:
    """A transaction as of `transactional`, or as of `transactional_for_now`; it is never tried again."""
    connection.execution_options(writes=True, lasting=lasting, alone=False)
    with connection.begin() as transaction:
        yield transaction


@contextmanager
def writing_once(connection: Connection) -> Iterator[None]:
    """As `writing` what lasts, for one statement: PostgreSQL need not be told where such a transaction ends."""
    connection.execution_options(writes=True, lasting=True, alone=True)
    with connection.begin():
        yield


@contextmanager
def reading(connection: Connection) -> Iterator[None]:
    """Let the session read over the connection."""
    connection.execution_options(writes=False, lasting=True, alone=True)
    db.session.rollback()
    db.session.connection(bind_arguments={"bind": connection})
    try:
        yield
    finally:
        db.session.rollback()
