"""Whether the portal can do its work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.exc import SQLAlchemyError

from portal.audit.services import find_break
from portal.config import resource_folder
from portal.core import clock
from portal.core.db import db
from portal.notifications.queries import list_problems, oldest_waiting
from portal.scheduling.free_times import list_free_slots
from portal.scheduling.queries import NoClinic, get_clinic

OLDEST_MAIL = timedelta(minutes=15)


@dataclass(frozen=True)
class Check:
    """One thing that must be right, whether it is, and what was found."""

    name: str
    ok: bool
    text: str


def check_readiness() -> list[Check]:
    """Everything that serving needs, checked now."""
    try:
        return [_check_migrations(), _check_clinic(), _check_mail()]
    except SQLAlchemyError as error:
        return [Check("database", False, type(error).__name__)]


def check_health() -> list[Check]:
    """As `check_readiness`, and what deserves somebody's look while serving goes on."""
    checks = check_readiness()
    if not all(check.ok for check in checks):
        return checks
    problems, torn = len(list_problems()), find_break()
    return [
        *checks,
        Check("mail for the desk", not problems, f"{problems} did not arrive; see /desk/mail/"),
        Check("audit trail", torn is None, "whole" if torn is None else f"changed at entry {torn}"),
        Check("times to book", (free := len(list_free_slots("consult", 1))) > 0, "yes" if free else "none is free"),
    ]


def _check_migrations() -> Check:
    script = ScriptDirectory(str(resource_folder("migrations")))
    current = MigrationContext.configure(db.session.connection()).get_current_revision()
    wanted = script.get_current_head()
    found = f"at {current}" if current == wanted else f"at {current}, needs {wanted}: run `flask db upgrade`"
    return Check("migrations", current == wanted, found)


def _check_clinic() -> Check:
    try:
        return Check("clinic", True, get_clinic().name)
    except NoClinic as error:
        return Check("clinic", False, str(error))


def _check_mail() -> Check:
    oldest = oldest_waiting()
    age = clock.now() - oldest if oldest else timedelta()
    return Check("mail", age < OLDEST_MAIL, f"oldest waiting {int(age.total_seconds())} s")
