"""The outbox: every mail is a row first, written in the transaction that causes it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.columns import EncryptedJSON, EncryptedText, UtcDateTime
from portal.core.db import Base


class MailState(StrEnum):
    """How far a mail has come."""

    QUEUED = "queued"
    CLAIMED = "claimed"  # by a worker, until its lease ends
    HANDING_OVER = "handing-over"  # all said but the final dot: from here its fate may be unknown
    SENT = "sent"
    RETRYING = "retrying"
    FAILED = "failed"
    SUPERSEDED = "superseded"  # not true any more when it was to leave
    UNCERTAIN = "uncertain"  # the connection broke between the final dot and the answer
    WITHHELD = "withheld"  # staff decided that nobody is to be told
    HELD = "held"  # restored from a backup: it may have left since, so staff decide
    BOUNCED = "bounced"  # taken by the server, and came back later


WAITING = (MailState.QUEUED, MailState.RETRYING)
UNDER_WAY = (MailState.CLAIMED, MailState.HANDING_OVER)
# As text, because an index over some rows serves only queries that say its condition in the same words. With IS TRUE,
# because SQLite would take the index over all states for a plain IN, and sort what it finds.
TO_SEND = text("(state IN ('queued', 'retrying', 'uncertain', 'claimed')) IS TRUE")
PROBLEMS = (MailState.FAILED, MailState.BOUNCED, MailState.UNCERTAIN)  # for the desk to look at
HELD_MAIL = "mail:held"  # what the audit trail calls all mail on hold


class OutgoingMail(Base):
    """A mail to send. Its text is not here: it is written from the present state when it leaves."""

    __tablename__ = "outgoing_mail"
    __table_args__ = (
        UniqueConstraint("kind", "about_id", "sequence"),
        Index("ix_outgoing_mail_state_not_before", "state", "not_before"),
        Index("ix_outgoing_mail_about_id_state", "about_id", "state"),
        Index("ix_outgoing_mail_to_send", "not_before", "id", sqlite_where=TO_SEND, postgresql_where=TO_SEND),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(30))
    about_id: Mapped[UUID]  # the appointment, or whatever else the mail is about
    sequence: Mapped[int]
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)  # as `not_before` was at first
    may_undo: Mapped[bool] = mapped_column(default=False)  # it waits for staff, who may send it now or not at all
    state: Mapped[str] = mapped_column(String(14), default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None] = mapped_column(EncryptedText(300))  # the server's words, which may name somebody
    queued_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recipient: Mapped[str | None] = mapped_column(EncryptedJSON)  # where it went, once it has been sent or refused
    looked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a problem that the desk has dealt with
