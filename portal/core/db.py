"""The database: one session, and one way to open a transaction."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, wraps
from typing import Any, ParamSpec, TypeVar

import click
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from sqlalchemy import Connection, CursorResult, Dialect, Executable, Insert, MetaData, event, insert, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, make_transient_to_detached

from portal.config import Settings, resource_folder

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

ATTEMPTS = 3
PATIENCE = 5  # seconds to wait for a lock or a connection, then the page says "try again"
PATIENCE_OF_COMMANDS = 30  # such as a backup among many who write
ASKING_EVERY = 0.0005  # seconds, in which who waits to write on SQLite asks again
PRIMARY = 0xFF  # of SQLite's codes of errors: what is left says more, such as that a log is being recovered
SERIALIZATION_FAILURE, DEADLOCK = "40001", "40P01"
SQLITE_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",  # what is erased is overwritten in the file, too
)
# PostgreSQL: nobody waits long for a lock or a server that is gone, and a page for no statement.
CONNECTING = {"connect_timeout": 3, "keepalives_idle": 30, "tcp_user_timeout": 10_000}
LOCKS = f"-c lock_timeout={PATIENCE}s"
STATEMENTS = "-c statement_timeout=15s -c idle_in_transaction_session_timeout=60s"
BEGIN, BEGIN_FOR_NOW = "BEGIN", "BEGIN; SET LOCAL synchronous_commit = off"
READING = "portal.reading"


class _Session(Session):
    """Reads without a transaction on PostgreSQL, where each statement sees what is committed in any case."""

    def get_bind(
        self, mapper: Any = None, clause: Any = None, bind: Engine | Connection | None = None, **_: Any
    ) -> Engine | Connection:
        return current_app.extensions[READING] if bind is None else bind


# expire_on_commit off: a page shows what its transaction wrote without reading it again.
db = SQLAlchemy(session_options={"class_": _Session, "expire_on_commit": False}, add_models_to_shell=False)


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
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = {
        "isolation_level": "AUTOCOMMIT",  # the driver opens no transaction of its own; _begin does
        "pool_pre_ping": True,  # a connection that the server has closed is replaced, so that outages heal
        "pool_timeout": PATIENCE,
        "hide_parameters": True,
    }
    settings.open_folders()
    db.init_app(app)
    with app.app_context():
        app.extensions[READING] = db.engine.execution_options(alone=True)
    if _in_a_command():
        _bring_migrations(app)  # and `flask db`
    else:
        app.extensions["migrate"] = _MigrateLater(app)


def _bring_migrations(app: Flask) -> Any:
    """Flask-Migrate for this app, which imports Alembic: no web process has to carry it."""
    from flask_migrate import Migrate

    Migrate(app, db, directory=str(resource_folder("migrations")))
    return app.extensions["migrate"]


class _MigrateLater:
    """Stands in the app for Flask-Migrate until somebody asks for it."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __getattr__(self, name: str) -> Any:
        return getattr(_bring_migrations(self._app), name)


@event.listens_for(Engine, "do_connect")
def _set_limits(dialect: Dialect, _record: Any, _arguments: Any, parameters: dict[str, Any]) -> None:
    """A page gives up in seconds; a command, such as a migration, may take its time."""
    if dialect.name == "postgresql":
        limits = LOCKS if _in_a_command() else f"{LOCKS} {STATEMENTS}"
        parameters["options"] = f"{limits} {parameters.get('options', '')}".strip()
        parameters.update({name: value for name, value in CONNECTING.items() if name not in parameters})


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        for pragma in SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA busy_timeout={_patience()}000")


def _patience() -> int:
    return PATIENCE_OF_COMMANDS if _in_a_command() else PATIENCE


def _in_a_command() -> bool:
    return click.get_current_context(silent=True) is not None


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    lasting = options.get("lasting", True)
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        if driver.autocommit and not options.get("alone"):  # alone: each statement by itself
            _begin_on_postgresql(connection, BEGIN if lasting else BEGIN_FOR_NOW)
        return
    if lasting != connection.info.get("lasting", True):
        driver.execute(f"PRAGMA synchronous={'FULL' if lasting else 'NORMAL'}")
        connection.info["lasting"] = lasting
    if options.get("writes"):
        begin_to_write(driver)
    else:
        driver.execute("BEGIN DEFERRED")  # takes no lock, so nothing is there to fail


def _begin_on_postgresql(connection: Connection, words: str) -> None:
    """Say it in one round trip. Raises OperationalError when the server has ended the connection."""
    driver: Any = connection.connection.driver_connection
    try:
        driver.execute(words, prepare=False)  # two statements cannot be prepared
    except connection.dialect.loaded_dbapi.OperationalError as error:
        connection.invalidate(error)  # its next use opens another
        raise OperationalError(words, None, error) from error


def begin_to_write(driver: sqlite3.Connection) -> None:
    """Take SQLite's lock of the one writer. Raises OperationalError when nobody lets it go for long.

    SQLite would ask for it less and less often, ten times a second in the end: it would lie unused between, and others
    would pass who come later.
    """
    until = time.monotonic() + _patience()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _takes_lock(driver, until):
            time.sleep(ASKING_EVERY)
    finally:
        driver.execute(f"PRAGMA busy_timeout={_patience()}000")


def _takes_lock(driver: sqlite3.Connection, until: float) -> bool:
    try:
        driver.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & PRIMARY != sqlite3.SQLITE_BUSY or time.monotonic() > until:
            raise OperationalError("BEGIN IMMEDIATE", None, error) from error
        return False
    return True


def transactional(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run the function in one transaction: all of it happens or none of it.

    Called inside another transactional function it joins that one. A writer takes SQLite's lock when it
    begins, so that it never reads first and finds the lock gone; PostgreSQL's deadlocks are tried again.
    """
    return _in_transaction(function, lasting=True)


def transactional_for_now(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """As `transactional`, for what means nothing once the machine has lost its power: nobody waits for the disk.

    The last moments of such changes go with a power cut, never the order of what happened, and never with the end
    of a process. A visit, a mail, or what was said to be done is not written so, which calling it from here would
    do: that raises RuntimeError. (That a mail was sent may be, where another follows: decision 6.) Inside a
    transaction that lasts it lasts with that.
    """
    return _in_transaction(function, lasting=False)


def _in_transaction(function: Callable[Parameters, Result], lasting: bool) -> Callable[Parameters, Result]:
    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if db.session.info.get("in_transaction"):
            if lasting and not db.session.info["lasting"]:
                raise RuntimeError("what must last was called inside a transaction that need not")
            return function(*args, **kwargs)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with _transaction(lasting):
                    return function(*args, **kwargs)
            except DBAPIError as error:
                if attempt == ATTEMPTS or not _worth_another_try(error):
                    raise
        raise AssertionError("unreachable")

    return wrapper


def seeing_others(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Run a transaction once more when another has just taken a unique key: what that one did can be seen now.

    Raises IntegrityError when the second one finds a key taken, too.
    """

    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            return function(*args, **kwargs)
        except IntegrityError:
            return function(*args, **kwargs)

    return wrapper


class _SeenEnough(Exception):
    """Ends a transaction whose result is wanted and whose changes are not."""


def look_ahead(function: Callable[[], Result]) -> Result:
    """What a transactional function would return; everything that it changes is undone.

    Raises RuntimeError inside another transaction, with which the changes would stay.
    """
    if db.session.info.get("in_transaction"):
        raise RuntimeError("inside a transaction nothing can be undone by itself")
    seen: list[Result] = []

    @transactional
    def do_and_undo() -> None:
        seen.append(function())
        raise _SeenEnough

    with suppress(_SeenEnough):
        do_and_undo()
    return seen[-1]


@contextmanager
def _transaction(lasting: bool) -> Iterator[None]:
    session = db.session()
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("something was changed outside a transactional function")
    session.rollback()  # ends the reading transaction: what follows sees the present
    session.info.update(in_transaction=True, lasting=lasting)
    try:
        session.connection(execution_options={"writes": True, "lasting": lasting, "alone": False})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info["in_transaction"] = False


def _worth_another_try(error: DBAPIError) -> bool:
    return getattr(error.orig, "sqlstate", None) in {SERIALIZATION_FAILURE, DEADLOCK}


def words_of_driver(error: SQLAlchemyError) -> str:
    """The first line of what the driver said: who refused, and why; to be shown to who runs the portal."""
    return str(getattr(error, "orig", error)).splitlines()[0]


def run(statement: Executable, **values: Any) -> CursorResult[*tuple[Any, ...]]:
    """Run a statement that was built once, with these values, in the session's transaction.

    It gives columns, never objects, and takes a quarter of the time of a statement that is built each time.
    """
    session = db.session()
    session.flush()
    return session.connection().execute(statement, values)


def store(new: Base) -> None:
    """Insert an object unless it stands already, by a statement that was built once, in a third of a flush's time.

    The session has it then as if it had been read. Of what it is related to only the keys are stored, so they are to
    be set; one that the session has already is left as it is.
    """
    state = inspect(new)
    if state.transient:
        columns = state.mapper.column_attrs
        run(_inserting(type(new)), **{name: value for name, value in state.dict.items() if name in columns})
        make_transient_to_detached(new)
        db.session.add(new)


@cache
def _inserting(model: type[Base]) -> Insert:
    return insert(model)


def reading_connection() -> Connection:
    """A connection to read over beside the session's, and to be closed."""
    engine: Engine = current_app.extensions[READING]
    return engine.connect()


def lock(rows: Executable, **values: Any) -> None:
    """Lock rows until the transaction ends, where there can be more than one writer: SQLite has but one."""
    if db.session.get_bind().dialect.name != "sqlite":
        run(rows, **values)


def insert_once(model: type[Base], **values: Any) -> bool:
    """Insert a row unless one with the same unique key stands already; say whether it was inserted."""
    return insert_all_once(model, [values]) == 1


def insert_all_once(model: type[Base], rows: list[dict[str, Any]]) -> int:
    """Insert in one statement those rows whose unique key no other has yet; returns how many that were."""
    if not rows:
        return 0
    session = db.session()
    session.flush()
    statement = _inserting_once(model, session.get_bind().dialect.name)
    return len(session.connection().execute(statement, rows).all())


@cache
def _inserting_once(model: type[Base], _dialect: str) -> Any:
    return insert_into(model).on_conflict_do_nothing().returning(*inspect(model).primary_key)


def insert_into(model: type[Base]) -> Any:
    """An INSERT of the database in use, which knows ON CONFLICT."""
    dialect = db.session.get_bind().dialect.name
    return postgresql.insert(model) if dialect == "postgresql" else sqlite.insert(model)
