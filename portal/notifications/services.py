"""Queue mail, and send what is due: claim with a lease, send one, mark one.

Plain SMTP cannot promise "exactly once": between the final dot and the server's answer nobody knows. A
mail caught there becomes `uncertain` and is sent once more with the same Message-ID.
"""

from __future__ import annotations

import logging
import os
import random
import socket
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import CursorResult, and_, or_, select, update

from portal.config import current_settings
from portal.core import clock
from portal.core.db import db, insert_once, transactional
from portal.notifications.letters import build_message, write_letter
from portal.notifications.models import DUE_STATES, MailState, OutgoingMail
from portal.notifications.transport import Doubtful, LeaseLost, NotNow, Refused, deliver

LEASE = timedelta(seconds=90)
LONGEST_PAUSE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=72)

log = logging.getLogger(__name__)


@transactional
def queue_mail(kind: str, about_id: UUID, sequence: int, not_before: datetime | None = None) -> None:
    """Queue a mail of that kind about that state of a thing; queueing it again changes nothing."""
    now = clock.now()
    insert_once(
        OutgoingMail,
        kind=kind,
        about_id=about_id,
        sequence=sequence,
        message_id=f"<{uuid4()}@{current_settings().sender.partition('@')[2]}>",
        not_before=not_before or now,
        state=MailState.QUEUED.value,
        attempts=0,
        queued_at=now,
    )


def send_due_mail() -> int:
    """Send all mail that is due; returns how many were tried. One bad mail never holds up the others."""
    worker = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}"
    tried = 0
    while (mail := _claim_next(worker)) is not None:
        _send(mail, worker)
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
        .where(
            or_(
                and_(OutgoingMail.state.in_(DUE_STATES), OutgoingMail.not_before <= now),
                and_(OutgoingMail.state == MailState.CLAIMED, OutgoingMail.lease_until < now),
            )
        )
        .order_by(OutgoingMail.not_before, OutgoingMail.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # SQLite has no such clause and needs none: one writer at a time
    )
    if mail is not None:
        mail.state, mail.worker, mail.lease_until = MailState.CLAIMED, worker, now + LEASE
        mail.attempts += 1
    return mail


def _send(mail: OutgoingMail, worker: str) -> None:
    try:
        letter = write_letter(mail.kind, mail.about_id, mail.sequence)
        if letter is None:
            _settle(mail.id, worker, MailState.SUPERSEDED)
            return
        message = build_message(letter, mail.message_id)
        deliver(current_settings(), letter.to, message, lambda: _hand_over(mail.id, worker))
        _settle(mail.id, worker, MailState.SENT)
    except LeaseLost:
        log.warning("mail %s was taken over by another worker", mail.id)
    except Refused as error:
        _settle(mail.id, worker, MailState.FAILED, str(error))
    except Doubtful as error:
        _try_again(mail, worker, MailState.UNCERTAIN, str(error))
    except NotNow as error:
        _try_again(mail, worker, MailState.RETRYING, str(error))
    except Exception as error:  # a letter that cannot be written must not stop the others
        log.exception("mail %s could not be written", mail.id)
        _try_again(mail, worker, MailState.RETRYING, type(error).__name__)


def _try_again(mail: OutgoingMail, worker: str, state: MailState, error: str) -> None:
    if clock.now() - mail.queued_at > GIVE_UP_AFTER:
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
) -> bool:
    """Move a mail on, if it is still this worker's; whether it was."""
    values: dict[str, object] = {
        "state": state,
        "last_error": error[:300] if error else None,
        "lease_until": lease,
    }
    if not_before:
        values["not_before"] = not_before
    if state is MailState.SENT:
        values["sent_at"] = clock.now()
    result = db.session.execute(
        update(OutgoingMail)
        .where(
            OutgoingMail.id == mail_id,
            OutgoingMail.worker == worker,
            OutgoingMail.state.in_((MailState.CLAIMED, MailState.HANDING_OVER)),
        )
        .values(**values)
    )
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
