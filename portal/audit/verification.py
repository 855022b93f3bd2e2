"""Whether the audit trail is what was written: every seal fits the one before, and the newest end is still there.

An entry that is changed or taken out breaks the chain. A chain that was cut off at its newest end, or written anew as a
whole, holds; so its head is noted elsewhere from time to time: in a file beside the database, in the log, with each
backup. Heads that were noted must still be in the chain.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import func, select

from portal.audit.models import AuditEntry
from portal.audit.services import FIRST, seal
from portal.config import current_settings
from portal.core.db import db, transactional

PURGED = "audit-purged"  # the action that names the last entry of the oldest end that was purged
HEADS = "audit-heads.txt"
AT_ONCE = 1000

log = logging.getLogger(__name__)


class Head(NamedTuple):
    """The newest entry at some time."""

    id: int
    seal: str

    @classmethod
    def read(cls, text: str) -> Head:
        """A head as `str` writes it. Raises ValueError."""
        number, _, sealed = text.strip().partition(":")
        if len(sealed) != len(FIRST):
            raise ValueError(f"{text!r} is no head: write it as it was printed, like 1234:9f86d0…")
        return cls(int(number), sealed)

    def __str__(self) -> str:
        return f"{self.id}:{self.seal}"


@dataclass(frozen=True)
class Report:
    """What was found: how many entries were looked at, until when, and what is wrong."""

    count: int
    until: datetime | None
    torn: int | None = None  # the first entry whose seal does not fit
    lost: Head | None = None  # the first head that was noted and is not in the chain

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.torn is None and self.lost is None


def verify(since: datetime | None = None, heads: Sequence[Head] = ()) -> Report:
    """Check the whole chain, or what was written since then; and the heads given besides those of the file."""
    count, until, previous, last_id = 0, None, None, 0
    if since is not None:
        before = select(AuditEntry).where(AuditEntry.at < since).order_by(AuditEntry.id.desc()).limit(1)
        if (entry := db.session.scalar(before)) is not None:
            previous, last_id = entry.seal, entry.id
    while True:
        following = select(AuditEntry).where(AuditEntry.id > last_id).order_by(AuditEntry.id).limit(AT_ONCE)
        entries = db.session.scalars(following).all()
        for entry in entries:
            fits = _may_be_first(entry) if previous is None else entry.previous == previous
            if not fits or entry.seal != seal(entry):
                return Report(count, until, torn=entry.id)
            count, until, previous, last_id = count + 1, entry.at, entry.seal, entry.id
        db.session.expunge_all()
        if not entries:
            return Report(count, until, lost=find_lost([*read_noted_heads(), *heads]))


def get_head() -> Head | None:
    """The newest entry; to be noted elsewhere, such as with a backup."""
    newest = select(AuditEntry.id, AuditEntry.seal).order_by(AuditEntry.id.desc()).limit(1)
    row = db.session.execute(newest).first()
    return Head(*row) if row else None


def find_lost(heads: Sequence[Head]) -> Head | None:
    """The first of these heads that is not in the chain; what was purged since is not missed."""
    oldest = db.session.scalar(select(func.min(AuditEntry.id)))
    for head in heads:
        if oldest is not None and head.id < oldest:
            continue
        stored = db.session.scalar(select(AuditEntry.seal).where(AuditEntry.id == head.id))
        if stored != head.seal:
            return head
    return None


@transactional
def note_head() -> str:
    """Write the head into the file beside the database, and say it for the log; the same one is noted once."""
    head = get_head()
    if head is None:
        return "nothing yet"
    noted = read_noted_heads()
    if not noted or noted[-1] != head:
        with _file().open("a") as file:
            file.write(f"{head}\n")
    return str(head)


def read_noted_heads() -> list[Head]:
    """The heads in the file beside the database, oldest first."""
    heads = []
    with suppress(FileNotFoundError):
        for line in _file().read_text().splitlines():
            with suppress(ValueError):
                heads.append(Head.read(line))
    return heads


def _may_be_first(entry: AuditEntry) -> bool:
    """Whether an entry is the first of all, or a later entry says that those before it were purged."""
    if entry.previous == FIRST:
        return True
    purges = select(AuditEntry.details).where(AuditEntry.action == PURGED).order_by(AuditEntry.id.desc())
    return any(details.get("seal") == entry.previous for details in db.session.scalars(purges))


def _file() -> Path:
    return current_settings().data_dir / HEADS
