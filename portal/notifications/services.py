"""Queue mail, and send what is due: claim with a lease, send one, mark one.

Plain SMTP cannot promise "exactly once": between the final dot and the server's answer nobody knows. A
mail caught there becomes `uncertain`; it is sent once more with the same Message-ID, or left for the desk
to decide, as `PORTAL_MAIL_UNCERTAIN` says.
"""

from __future__ import annotations

import logging
import os
import random
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from portal import audit
from portal.config import current_settings
from portal.core import clock
from portal.core.db import db, insert_once, transactional
from portal.notifications.bounces import envelope_sender
from portal.notifications.letters import BadAddress, build_message, write_letter
from portal.notifications.models import UNDER_WAY, WAITING, MailState, OutgoingMail
from portal.notifications.transport import Courier, Doubtful, LeaseLost, NotNow, Refused

LEASE = timedelta(seconds=90)
LONGEST_PAUSE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=72)
UNDO_WINDOW = timedelta(minutes=3)

log = logging.getLogger(__name__)


@transactional
def queue_mail(
    kind: str, about_id: UUID, sequence: int, not_before: datetime | None = None, may_undo: bool = False
) -> bool:
    """Queue a mail of that kind about that state of a thing; queueing it again changes nothing. Whether it was new.

    With `may_undo` it waits three minutes, in which staff may send it at once or withhold it.
    """
    now = clock.now()
    due_at = not_before or (now + UNDO_WINDOW if may_undo else now)
    return insert_once(
        OutgoingMail,
        kind=kind,
        about_id=about_id,
        sequence=sequence,
        message_id=f"<{uuid4()}@{current_settings().sender.partition('@')[2]}>",
        not_before=due_at,
        due_at=due_at,
        may_undo=may_undo,
        state=MailState.QUEUED.value,
        attempts=0,
        queued_at=now,
    )


@transactional
def supersede_mail(about_id: UUID) -> None:
    """Take back what waits about a thing that has changed: it would not be true any more."""
    db.session.execute(
        update(OutgoingMail)
        .where(OutgoingMail.about_id == about_id, OutgoingMail.state.in_(WAITING))
        .values(state=MailState.SUPERSEDED)
        .execution_options(synchronize_session=False)
    )


@transactional
def send_now(mail_id: int) -> bool:
    """Let a waiting mail leave at once, or send one again that failed, bounced or ended in doubt; whether it will.

    It keeps its Message-ID; the address it goes to is the one that stands now.
    """
    now = clock.now()
    states = (*WAITING, MailState.FAILED, MailState.BOUNCED, MailState.UNCERTAIN, MailState.WITHHELD, MailState.SENT)
    return _decide(
        mail_id,
        states,
        "mail-sent-by-hand",
        state=MailState.QUEUED,
        not_before=now,
        due_at=now,
        attempts=0,
        looked_at=None,
    )


@transactional
def withhold(mail_id: int) -> bool:
    """Tell nobody: a waiting mail never leaves; whether it was still waiting."""
    return _decide(mail_id, WAITING, "mail-withheld", state=MailState.WITHHELD)


@transactional
def settle_problem(mail_id: int) -> bool:
    """Note that the desk has dealt with a mail that failed, such as by phone."""
    return _decide(mail_id, tuple(MailState), "mail-problem-settled", looked_at=clock.now())


@transactional
def note_bounce(mail_id: int, reason: str) -> bool:
    """Note that a mail came back after the server had taken it; whether there is such a mail that has left."""
    left = (MailState.SENT, MailState.UNCERTAIN, MailState.HANDING_OVER, MailState.BOUNCED)
    return _decide(mail_id, left, "mail-bounced", state=MailState.BOUNCED, last_error=_cut(reason), looked_at=None)


def send_due_mail(is_over: Callable[[], bool] = lambda: False) -> int:
    """Send all mail that is due, or until it is over; returns how many were tried.

    One bad mail never holds up the others.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    tried = 0
    with Courier(current_settings()) as courier:
        while not is_over() and (mail := _claim_next(worker)) is not None:
            _send(mail, worker, courier)
            tried += 1
    return tried


@transactional
def _claim_next(worker: str) -> OutgoingMail | None:
    now = clock.now()
    db.session.execute(
        update(OutgoingMail)
        .where(OutgoingMail.state == MailState.HANDING_OVER, OutgoingMail.lease_until < now)
        .values(state=MailState.UNCERTAIN)
    )
    mail = db.session.scalar(
        select(OutgoingMail)
        .where(_is_due(now), ~_waits_for_its_turn(now))
        .order_by(OutgoingMail.not_before, OutgoingMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite has no such clause and needs none: one writer at a time
    )
    if mail is not None:
        mail.state, mail.worker, mail.lease_until = MailState.CLAIMED, worker, now + LEASE
        mail.attempts += 1
    return mail


def _is_due(now: datetime) -> ColumnElement[bool]:
    resend = current_settings().mail_uncertain == "resend"
    states = (*WAITING, MailState.UNCERTAIN) if resend else WAITING
    return or_(
        and_(OutgoingMail.state.in_(states), OutgoingMail.not_before <= now),
        and_(OutgoingMail.state == MailState.CLAIMED, OutgoingMail.lease_until < now),
    )


def _waits_for_its_turn(now: datetime) -> ColumnElement[bool]:
    """Whether an earlier mail about the same thing is under way, so that "moved" never overtakes "booked"."""
    earlier = aliased(OutgoingMail)
    return exists().where(
        earlier.about_id == OutgoingMail.about_id,
        earlier.id < OutgoingMail.id,
        earlier.state.in_(UNDER_WAY),
        earlier.lease_until >= now,
    )


def _send(mail: OutgoingMail, worker: str, courier: Courier) -> None:
    recipient = None
    try:
        letter = write_letter(mail.kind, mail.about_id, mail.sequence)
        if letter is None:
            _settle(mail.id, worker, MailState.SUPERSEDED)
            return
        recipient = letter.to
        message = build_message(letter, mail.message_id)
        sender = envelope_sender(current_settings(), mail.id)
        courier.deliver(sender, recipient, message, lambda: _hand_over(mail.id, worker))
        _settle(mail.id, worker, MailState.SENT, recipient=recipient)
    except LeaseLost:
        log.warning("mail %s was taken over by another worker", mail.id)
    except (Refused, BadAddress) as error:
        _settle(mail.id, worker, MailState.FAILED, str(error), recipient=recipient)
    except Doubtful as error:
        _try_again(mail, worker, MailState.UNCERTAIN, str(error))
    except NotNow as error:
        _try_again(mail, worker, MailState.RETRYING, str(error))
    except Exception as error:  # a letter that cannot be written must not stop the others
        db.session.rollback()
        log.exception("mail %s could not be written", mail.id)
        _try_again(mail, worker, MailState.RETRYING, type(error).__name__)


def _try_again(mail: OutgoingMail, worker: str, state: MailState, error: str) -> None:
    if clock.now() - mail.due_at > GIVE_UP_AFTER:
        _settle(mail.id, worker, MailState.FAILED, error)
        return
    pause = min(LONGEST_PAUSE, timedelta(seconds=5 * 2 ** min(mail.attempts, 8)))
    _settle(mail.id, worker, state, error, clock.now() + pause * random.uniform(0.5, 1))  # noqa: S311 - jitter


def _hand_over(mail_id: int, worker: str) -> bool:
    return _settle(mail_id, worker, MailState.HANDING_OVER, lease=clock.now() + LEASE)


@transactional
def _settle(
    mail_id: int,
    worker: str,
    state: MailState,
    error: str | None = None,
    not_before: datetime | None = None,
    lease: datetime | None = None,
    recipient: str | None = None,
) -> bool:
    """Move a mail on, if it is still this worker's; whether it was."""
    values: dict[str, object] = {"state": state, "last_error": _cut(error), "lease_until": lease}
    if not_before:
        values["not_before"] = not_before
    if recipient:
        values["recipient"] = recipient
    if state is MailState.SENT:
        values["sent_at"] = clock.now()
    return _change(mail_id, and_(OutgoingMail.worker == worker, OutgoingMail.state.in_(UNDER_WAY)), values)


def _decide(mail_id: int, states: tuple[MailState, ...], action: str, **values: object) -> bool:
    """What staff or a bounce makes of a mail that is in one of these states; noted in the audit trail."""
    done = _change(mail_id, OutgoingMail.state.in_(states), {"may_undo": False, **values})
    if done:
        audit.services.record(action, f"mail:{mail_id}")
    return done


def _cut(words: str | None) -> str | None:
    """What a server said, as far as it is kept."""
    return " ".join("".join(c if c.isprintable() else " " for c in words).split())[:300] if words else None


def _change(mail_id: int, condition: ColumnElement[bool], values: dict[str, object]) -> bool:
    result = db.session.execute(
        update(OutgoingMail)
        .where(OutgoingMail.id == mail_id, condition)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
