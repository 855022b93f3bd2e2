"""What is asked of the outbox again and again: statements made once, since to make one takes longer than to run it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, case, exists, or_, select, true, update
from sqlalchemy.sql.dml import ReturningUpdate

from portal.notifications.models import TO_SEND, UNDER_WAY, MailState, OutgoingMail

TABLE = cast(Table, OutgoingMail.__table__)
IN_HAND = update(TABLE).where(
    TABLE.c.id == bindparam("mail"),
    TABLE.c.worker == bindparam("taker"),
    or_(*(TABLE.c.state == state for state in UNDER_WAY)),  # IN would be written out anew each time
)
# What becomes of a mail whose recipient is to be known no longer: one under way is taken out of its worker's hands, who
# would write the address down again.
FORGOTTEN: dict[str, Any] = {
    "state": case(
        (TABLE.c.state.not_in((MailState.SENT, MailState.BOUNCED)), MailState.SUPERSEDED.value),
        else_=TABLE.c.state,
    ),
    "recipient": None,
    "last_error": None,
}
NOW = bindparam("now", type_=TABLE.c.lease_until.type)
IN_DOUBT = and_(TABLE.c.state == MailState.HANDING_OVER, TABLE.c.lease_until < NOW)


@dataclass(frozen=True)
class Claim:
    """A mail that a worker has taken to send."""

    id: int
    kind: str
    about_id: UUID
    sequence: int
    message_id: str
    due_at: datetime
    attempts: int


@cache
def looking(doubtful_too: bool) -> Select[Any]:
    """Whether there is a mail to claim, or one in doubt."""
    return select(or_(_choosing(doubtful_too).exists(), exists().where(IN_DOUBT)))


@cache
def claiming(doubtful_too: bool) -> ReturningUpdate[Any]:
    """Take the mail that has been due for longest."""
    mail = TABLE.c
    # SQLite has no such clause and needs none: one writer at a time.
    next_one = _choosing(doubtful_too).with_for_update(skip_locked=True)
    return (
        update(TABLE)
        .where(mail.id == next_one.scalar_subquery())
        .values(
            state=MailState.CLAIMED,
            worker=bindparam("taker"),
            lease_until=bindparam("lease"),
            attempts=mail.attempts + 1,
        )
        .returning(*(mail[field.name] for field in fields(Claim)))
    )


def _choosing(doubtful_too: bool) -> Select[Any]:
    """The mail that has been due for longest and that nobody has."""
    mail = TABLE.c
    nobody_has_it = or_(mail.state != MailState.CLAIMED, mail.lease_until < NOW)
    wanted = true() if doubtful_too else mail.state != MailState.UNCERTAIN
    return (
        select(mail.id)
        .where(TO_SEND, mail.not_before <= NOW, nobody_has_it, wanted, ~_waits_for_its_turn())
        .order_by(mail.not_before, mail.id)
        .limit(1)
        .correlate(None)
    )


def _waits_for_its_turn() -> ColumnElement[bool]:
    """Whether an earlier mail about the same thing is under way, so that "moved" never overtakes "booked"."""
    earlier = TABLE.alias().c
    return exists().where(
        earlier.about_id == TABLE.c.about_id,
        earlier.id < TABLE.c.id,
        or_(*(earlier.state == state for state in UNDER_WAY)),
        earlier.lease_until >= NOW,
    )
