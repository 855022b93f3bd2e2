"""Write the audit trail and check that nobody has changed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from flask import Flask, has_request_context
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.db import db

CHAIN_LOCK = 0x617564697431  # PostgreSQL advisory lock: one writer at the end of the chain
FIRST = "0" * 64  # what the first entry names as the one before

_identify: list[Callable[[], str | None]] = []


def init_app(app: Flask) -> None:
    if not event.contains(db.session, "before_commit", _write_pending):
        event.listen(db.session, "before_commit", _write_pending)
        event.listen(db.session, "after_rollback", _forget_pending)


def identify_actor_by(function: Callable[[], str | None]) -> None:
    """Let a feature say who is acting now, like "staff:7"; None where it does not know."""
    _identify.append(function)


def record(action: str, subject: str, **details: Any) -> None:
    """Note for the trail that somebody did this to that, within the transaction that does it.

    `details` are counts, references and states, never clinical values or anything a patient typed. The
    entries are written last of all, so that the chain is locked for as short as can be.
    """
    entry = AuditEntry(at=clock.now(), actor=_actor(), action=action, subject=subject, details=details)
    db.session.info.setdefault("audit", []).append(entry)


def find_break() -> int | None:
    """The id of the first entry whose seal does not fit, or None when the whole chain holds."""
    previous = FIRST
    query = select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=1000)
    with db.session.scalars(query) as entries:
        for entry in entries:
            if entry.previous != previous or entry.seal != _seal(entry):
                return entry.id
            previous = entry.seal
    return None


def _actor() -> str:
    for identify in _identify:
        if actor := identify():
            return actor
    return "patient" if has_request_context() else "system"


def _write_pending(session: Session) -> None:
    entries: list[AuditEntry] = session.info.pop("audit", [])
    if not entries:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
    previous = session.scalar(select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)) or FIRST
    for entry in entries:
        entry.previous = previous
        entry.seal = previous = _seal(entry)
    session.add_all(entries)
    session.flush()


def _forget_pending(session: Session) -> None:
    session.info.pop("audit", None)


def _seal(entry: AuditEntry) -> str:
    content = [entry.previous, entry.at.isoformat(), entry.actor, entry.action, entry.subject, entry.details]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
