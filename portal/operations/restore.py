"""Put a backup in the place of the database: checked before anything is touched, what was there kept aside.

Mail that was waiting is put on hold: it may have left since the backup was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import current_app

from portal import audit
from portal.core import clock
from portal.core.db import db, transactional
from portal.notifications.services import hold_all
from portal.operations import moving, postgresql_copy, sqlite_copy
from portal.operations.backup import Backup, check_backup, opened
from portal.operations.health import known_revisions
from portal.operations.keys import find_unreadable
from portal.operations.notes import RESTORE, note
from portal.operations.sealed_file import BadFile
from portal.scheduling.queries import is_guarded


@dataclass(frozen=True)
class Restored:
    """What was restored: since when things are missing, how much mail is on hold, where the old database is."""

    backup: Backup
    at: datetime
    mails_held: int
    aside: str | None


def restore(path: Path, replace: bool = False) -> Restored:
    """Let the database be as it was when the backup was made, brought up to this portal's tables.

    Raises BadFile, and then nothing has changed, or what was there before is back.
    """
    backup = check_backup(path)
    _refuse_what_does_not_fit(backup)
    engine = sqlite_copy if db.engine.dialect.name == "sqlite" else postgresql_copy
    moves = backup.manifest["engine"] != db.engine.dialect.name
    _leave_database()
    occupied = engine.is_occupied()
    if occupied and not replace:
        raise BadFile("there is a database already: with --replace it is kept aside")
    _leave_database()
    if occupied and engine.is_in_use():
        raise BadFile("the portal is still running: stop web and worker first")
    aside = engine.name_aside(f"{clock.now():%Y%m%dT%H%M%SZ}")
    with opened(path) as (_, copy):
        (moving if moves else engine).put_in_place(copy, aside)
    try:
        held = _bring_up(backup)
    except BaseException:  # where a migration fails, Flask-Migrate ends the process; or somebody does by Ctrl-C
        _leave_database()
        engine.put_back(aside)
        raise
    if not occupied:
        engine.forget(aside)
    return Restored(backup, clock.now(), held, aside if occupied else None)


def _leave_database() -> None:
    """Close every connection of this process."""
    db.session.remove()
    db.engine.dispose()


def _refuse_what_does_not_fit(backup: Backup) -> None:
    engine, revision = backup.manifest["engine"], backup.manifest["revision"]
    known = known_revisions()
    if revision not in known:
        raise BadFile(f"a newer portal made it (its tables are at {revision}): install that one first")
    if engine == db.engine.dialect.name:
        return
    if engine != "sqlite":
        raise BadFile(f"it is of a {engine} database, and PORTAL_DATABASE_URL names another kind")
    if revision != known[0]:
        raise BadFile(
            "to move it to PostgreSQL it must be of this release: `flask db upgrade` there, and back up again"
        )


def _bring_up(backup: Backup) -> int:
    """Migrate what was restored, see that its diary is guarded and that the keys fit, and hold its mail; returns how
    many mails are held."""
    from flask_migrate import upgrade  # only here: no web process has to carry Alembic

    upgrade()
    if not is_guarded():
        raise BadFile("what keeps two visits from one time would be missing from the database")
    if unreadable := find_unreadable():
        raise BadFile(f"{unreadable} cannot be read with PORTAL_ENCRYPTION_KEYS: add the keys of that time")
    return _take_over(backup)


@transactional
def _take_over(backup: Backup) -> int:
    held = hold_all()
    missing = round((clock.now() - backup.taken_at).total_seconds() / 3600)
    note(RESTORE, taken_at=backup.taken_at.isoformat(), hours_missing=missing, mails_held=held)
    audit.services.record("restored", "database", taken_at=backup.taken_at.isoformat(), mails_held=held)
    current_app.logger.warning("restored the backup of %s", backup.taken_at.isoformat())
    return held
