"""Write the audit trail."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import click
from blinker import Signal
from flask import Flask, has_request_context, request
from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from portal.audit.models import AuditEntry
from portal.core import clock
from portal.core.db import db

CHAIN_LOCK = 0x617564697431  # PostgreSQL advisory lock: one writer at the end of the chain
LAST_SEAL = select(AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)
WRITE = insert(AuditEntry)
WRITTEN = [column.key for column in AuditEntry.__table__.columns if column.key != "id"]
FIRST = "0" * 64  # what the first entry names as the one before

entries_written = Signal("Sent by a session for what it has just written; it may still be undone: actions.")
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
    entry = AuditEntry(
        at=clock.now(), actor=_actor(), action=action, subject=subject, details=details, screen=_screen()
    )
    db.session.info.setdefault("audit", []).append(entry)


def _actor() -> str:
    for identify in _identify:
        if actor := identify():
            return actor
    return "patient" if has_request_context() else "system"


def _screen() -> str | None:
    """Where it was done: the name of the route, which holds no path and no query, or the command."""
    if has_request_context():
        return request.endpoint
    command = click.get_current_context(silent=True)
    return command.command_path.partition(" ")[2][:80] or None if command else None


def _write_pending(session: Session) -> None:
    entries: list[AuditEntry] = session.info.pop("audit", [])
    if not entries:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
    connection = session.connection()
    previous = connection.scalar(LAST_SEAL) or FIRST
    for entry in entries:
        entry.previous = previous
        entry.seal = previous = seal(entry)
    connection.execute(WRITE, [{name: getattr(entry, name) for name in WRITTEN} for entry in entries])
    entries_written.send(session, actions=[entry.action for entry in entries])


def _forget_pending(session: Session) -> None:
    session.info.pop("audit", None)


def seal(entry: AuditEntry) -> str:
    """The hash of what an entry says and of the seal of the one before."""
    content = [entry.previous, entry.at.isoformat(), entry.actor, entry.action, entry.subject, entry.details]
    if entry.screen is not None:  # older entries were sealed without one
        content.append(entry.screen)
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
