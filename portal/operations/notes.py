"""Note what was done to keep the portal running, and read it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from portal.core import clock
from portal.core.db import db, insert_into, transactional
from portal.notifications.queries import oldest_waiting
from portal.operations.models import OperationNote

WORKER, BACKUP, RESTORE = "worker", "backup", "restore"
SOON = timedelta(minutes=5)  # a worker shows itself every minute, and mail leaves within seconds


@transactional
def note(name: str, **details: Any) -> None:
    """Note that this has been done now; only the last time is kept."""
    values = {"at": clock.now(), "details": details}
    statement = insert_into(OperationNote).values(name=name, **values)
    db.session.execute(statement.on_conflict_do_update(index_elements=[OperationNote.name], set_=values))


def get_note(name: str) -> OperationNote | None:
    """When that was done last, and what was noted of it; None if it never was."""
    return db.session.get(OperationNote, name, populate_existing=True)


def last_time(name: str) -> datetime | None:
    """When that was done last."""
    found = get_note(name)
    return found.at if found else None


def get_restore() -> OperationNote | None:
    """The last restore of a backup."""
    return get_note(RESTORE)


def find_worker_trouble() -> datetime | None:
    """Since when no worker has been seen while mail waits for one; None when all is well."""
    waiting, seen = oldest_waiting(), last_time(WORKER)
    if waiting is None or clock.now() - waiting < SOON or (seen and clock.now() - seen < SOON):
        return None
    return max(waiting, seen) if seen else waiting
