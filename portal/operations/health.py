"""Whether the portal can do its work: what is cheap enough to be asked every few seconds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from functools import cache

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from portal.config import resource_folder
from portal.core import clock
from portal.core.db import db
from portal.notifications.queries import oldest_waiting
from portal.scheduling.queries import NoClinic, get_clinic

OLDEST_MAIL = timedelta(minutes=15)


class State(Enum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"  # serving goes on, and somebody should look
    FAIL = "FAIL"


@dataclass(frozen=True)
class Check:
    """One thing that must be right: how it is, what was found, and what to do."""

    name: str
    state: State
    text: str
    to_do: str = ""

    def __str__(self) -> str:
        advice = f"; {self.to_do}" if self.to_do and self.state is not State.OK else ""
        return f"{self.state.value} {self.name}: {self.text}{advice}"


def kind_of(error: SQLAlchemyError) -> str:
    """All that is said to everybody of an error of the database."""
    return type(error.__cause__ or error).__name__


def check_readiness(why: Callable[[SQLAlchemyError], str] = kind_of) -> list[Check]:
    """What serving needs, checked now; with older tables nothing is asked of them."""
    try:
        migrations = check_migrations()
        return [migrations] if migrations.state is State.FAIL else [migrations, _check_clinic(), check_mail()]
    except SQLAlchemyError as error:
        return [Check("database", State.FAIL, f"it does not answer ({why(error)})", "see that it runs and has room")]


def check_migrations() -> Check:
    """Whether the tables are those of this code, or of a newer one that is about to take over."""
    known = known_revisions()
    current = get_revision(db.session.connection())
    if current == known[0]:
        return Check("migrations", State.OK, f"at {current}")
    if is_newer(current):
        text = f"at {current}, newer than this code, which goes on with it"
        return Check("migrations", State.WARN, text, "restart the processes that still run the old code")
    return Check("migrations", State.FAIL, f"at {current or 'nothing'}, needs {known[0]}", "run `flask db upgrade`")


def is_newer(revision: str | None) -> bool:
    """Whether tables at this migration are those of a newer code."""
    return revision is not None and revision not in known_revisions()


def get_revision(connection: Connection) -> str | None:
    """The migration that the database stands at; None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@cache
def known_revisions() -> list[str]:
    """All that this code knows, the newest first: each file begins with the number of its own."""
    files = (resource_folder("migrations") / "versions").glob("[0-9]*.py")
    return sorted((file.name.partition("_")[0] for file in files), reverse=True)


def _check_clinic() -> Check:
    try:
        return Check("clinic", State.OK, get_clinic().name)
    except NoClinic:
        return Check("clinic", State.FAIL, "there is none yet", "set it up at /desk/, or `flask clinic load FILE`")


def check_mail() -> Check:
    """Whether mail leaves soon after it is due, but for what the mail server puts off for one mailbox."""
    oldest = oldest_waiting()
    age = clock.now() - oldest if oldest else timedelta()
    state = State.OK if age < OLDEST_MAIL else State.FAIL
    return Check(
        "mail",
        state,
        f"oldest waiting {int(age.total_seconds())} s",
        "see that `flask mail worker` runs and the mail server answers",
    )
