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
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Connection, CursorResult, Result, and_, false, true, update

from portal import audit
from portal.config import current_settings
from portal.core import clock
from portal.core.db import db, insert_all_once, transactional
from portal.core.own_connection import own_connection, reading, writing, writing_once
from portal.notifications.bounces import envelope_sender
from portal.notifications.letters import write_letter
from portal.notifications.mime import BadAddress, build_message
from portal.notifications.models import HELD_MAIL, PROBLEMS, UNDER_WAY, WAITING, MailState, OutgoingMail
from portal.notifications.queries import get_mail, held_since, list_mail_about
from portal.notifications.statements import FORGOTTEN, IN_DOUBT, IN_HAND, TABLE, Claim, claiming, looking
from portal.notifications.transport import Courier, Doubtful, LeaseLost, NotNow, Refused

LEASE = timedelta(seconds=90)
LONGEST_PAUSE = timedelta(minutes=5)
GIVE_UP_AFTER = timedelta(hours=72)
UNDO_WINDOW = timedelta(minutes=3)
log = logging.getLogger(__name__)


class Mailing(NamedTuple):
    """A mail to be queued: its kind, and the moment before which it stays.

    With `may_undo` it waits three minutes, in which staff may send it at once or withhold it.
    """

    kind: str
    not_before: datetime | None = None
    may_undo: bool = False


def queue_mail(kind: str, about_id: UUID, sequence: int) -> bool:
    """Queue a mail of that kind about that state of a thing; queueing it again changes nothing. Whether it was new."""
    return queue_mails(about_id, sequence, Mailing(kind)) == 1


@transactional
def queue_mails(about_id: UUID, sequence: int, *mailings: Mailing) -> int:
    """Queue mails about that state of a thing; queueing one again changes nothing. How many were new."""
    return insert_all_once(OutgoingMail, [_as_row(mailing, about_id, sequence) for mailing in mailings])


def _as_row(mailing: Mailing, about_id: UUID, sequence: int) -> dict[str, Any]:
    now = clock.now()
    due_at = mailing.not_before or (now + UNDO_WINDOW if mailing.may_undo else now)
    return {
        "kind": mailing.kind,
        "about_id": about_id,
        "sequence": sequence,
        "message_id": f"<{uuid4()}@{current_settings().sender.partition('@')[2]}>",
        "not_before": due_at,
        "due_at": due_at,
        "may_undo": mailing.may_undo,
        "state": MailState.QUEUED.value,
        "attempts": 0,
        "queued_at": now,
    }


@transactional
def supersede_mail(about_id: UUID) -> None:
    """Take back what waits about a thing that has changed: it would not be true any more."""
    db.session.execute(
        update(OutgoingMail)
        .where(OutgoingMail.about_id == about_id, OutgoingMail.state.in_((*WAITING, MailState.HELD)))
        .values(state=MailState.SUPERSEDED)
        .execution_options(synchronize_session=False)
    )


@transactional
def forget_recipients(about_ids: Collection[UUID]) -> None:
    """Let nothing say where mails about these things went; what has not left never does.

    For who removes the things: from such mails nothing leads to a person any more who is to be erased.
    """
    _change_all(OutgoingMail.about_id.in_(about_ids), FORGOTTEN)


@transactional
def send_now(mail_id: int) -> bool:
    """Let a waiting mail leave at once, or send one again that failed, bounced or ended in doubt; whether it will.

    It keeps its Message-ID; the address it goes to is the one that stands now.
    """
    now = clock.now()
    states = (*WAITING, *PROBLEMS, MailState.HELD, MailState.WITHHELD, MailState.SENT)
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
    return _decide(mail_id, (*WAITING, MailState.HELD), "mail-withheld", state=MailState.WITHHELD)


@transactional
def hold_all() -> int:
    """Let nothing leave that was waiting or under way, as after a restore; returns how many mails that are."""
    waits = OutgoingMail.state.in_((*WAITING, *UNDER_WAY, MailState.UNCERTAIN))
    held = _change_all(waits, {"state": MailState.HELD, "worker": None, "lease_until": None})
    audit.services.record("mail-held", HELD_MAIL, count=held)
    return held


@transactional
def release_held(only_later: bool = False, but: Collection[str] = ()) -> int:
    """Let held mail leave when it is due, all but those kinds, or only what cannot have left before; says how many."""
    since = held_since()
    later = OutgoingMail.due_at >= since if since else false()
    released = _change_all(
        and_(OutgoingMail.state == MailState.HELD, OutgoingMail.kind.not_in(but), later if only_later else true()),
        {"state": MailState.QUEUED, "attempts": 0},
    )
    audit.services.record("mail-released", HELD_MAIL, count=released)
    return released


@transactional
def withhold_held(but: Collection[str] = ()) -> int:
    """Let none of the held mail leave, ever, but those kinds; returns how many."""
    held = and_(OutgoingMail.state == MailState.HELD, OutgoingMail.kind.not_in(but))
    withheld = _change_all(held, {"state": MailState.WITHHELD})
    audit.services.record("mail-withheld", HELD_MAIL, count=withheld)
    return withheld


@transactional
def settle_problem(mail_id: int) -> bool:
    """Note that the desk has dealt with a mail that failed, such as by phone."""
    return _decide(mail_id, tuple(MailState), "mail-problem-settled", looked_at=clock.now())


@transactional
def note_bounce(mail_id: int, reason: str) -> bool:
    """Note that a mail came back after the server had taken it; whether there is such a mail that has left.

    The desk need not look at it once a later mail that says the same has gone to another address. Where the recipient
    has been forgotten since, the words are not kept: they may name the address.
    """
    left = (MailState.SENT, MailState.UNCERTAIN, MailState.HANDING_OVER, MailState.BOUNCED)
    values: dict[str, object] = {} if _is_forgotten(mail_id) else {"last_error": _cut(reason)}
    settled_at = clock.now() if _has_gone_elsewhere_since(mail_id) else None
    return _decide(mail_id, left, "mail-bounced", state=MailState.BOUNCED, looked_at=settled_at, **values)


def _is_forgotten(mail_id: int) -> bool:
    """Whether a mail has arrived at somebody, and nothing says where any more."""
    mail = db.session.get(OutgoingMail, mail_id, with_for_update=True, populate_existing=True)
    return mail is not None and mail.recipient is None and mail.state in {MailState.SENT, MailState.BOUNCED}


def _has_gone_elsewhere_since(mail_id: int) -> bool:
    mail = get_mail(mail_id)
    if mail is None or mail.recipient is None:
        return False
    later = [other for other in list_mail_about(mail.about_id) if other.id > mail_id and other.kind == mail.kind]
    return any(other.state == MailState.SENT and other.recipient != mail.recipient for other in later)


@dataclass(frozen=True)
class Outcome:
    """What became of a mail that was tried."""

    mail_id: int
    state: MailState
    error: str | None = None
    not_before: datetime | None = None
    recipient: str | None = None


@dataclass(frozen=True)
class Worker:
    """Who sends: a name, and the connection over which is noted how far each mail has come."""

    name: str
    connection: Connection


def send_due_mail(is_over: Callable[[], bool] = lambda: False) -> int:
    """Send all mail that is due, or until it is over; returns how many were tried.

    One bad mail never holds up the others.
    """
    tried, outcome = 0, None
    if not _has_work():
        return tried
    _note_doubts()
    with own_connection() as connection, Courier(current_settings()) as courier:
        worker = Worker(f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:8]}", connection)
        while (mail := _go_on(worker, outcome, is_over())) is not None:
            outcome = _send(mail, worker, courier)
            tried += 1
    return tried


def _has_work() -> bool:
    """Whether a mail is due, or the fate of one has to be noted: a look each second that locks nothing."""
    with own_connection() as connection, reading(connection):
        statement = looking(doubtful_too=current_settings().mail_uncertain == "resend")
        return bool(db.session.scalar(statement, {"now": clock.now()}))


@transactional
def _note_doubts() -> None:
    """Of a mail whose worker went away between handing it over and hearing the answer nobody knows the fate."""
    now = {"now": clock.now()}
    db.session.execute(update(TABLE).where(IN_DOUBT).values(state=MailState.UNCERTAIN), now)


def _go_on(worker: Worker, outcome: Outcome | None, is_over: bool) -> Claim | None:
    """Note what became of the last mail and claim the next one, in one transaction."""
    if outcome and outcome.state is MailState.SENT and not is_over and (mail := _go_on_for_now(worker, outcome)):
        return mail
    with writing(worker.connection, lasting=True):
        if outcome:
            _settle(worker, outcome)
        return None if is_over else _claim_next(worker)


def _go_on_for_now(worker: Worker, outcome: Outcome) -> Claim | None:
    """Go on without waiting for the disk, or do nothing where no mail follows.

    What follows waits for it, with whatever was written before: to hand the next mail over, or to note that it did
    not come so far. Until then a power cut leaves this one mail in doubt, as the end of the process does before it is
    noted.
    """
    with writing(worker.connection, lasting=False) as transaction:
        _settle(worker, outcome)
        mail = _claim_next(worker)
        if mail is None:
            transaction.rollback()
    return mail


def _claim_next(worker: Worker) -> Claim | None:
    now = clock.now()
    statement = claiming(doubtful_too=current_settings().mail_uncertain == "resend")
    values = {"taker": worker.name, "now": now, "lease": now + LEASE}
    claimed = worker.connection.execute(statement, values).first()
    return Claim(*claimed) if claimed else None


def _send(mail: Claim, worker: Worker, courier: Courier) -> Outcome | None:
    """What became of the mail; None where it is another worker's by now."""
    recipient = None
    try:
        with reading(worker.connection):
            letter = write_letter(mail.kind, mail.about_id, mail.sequence)
            if letter is None:
                return Outcome(mail.id, MailState.SUPERSEDED)
            recipient = letter.to
            message = build_message(letter, mail.message_id)
        sender = envelope_sender(current_settings(), mail.id)
        courier.deliver(sender, recipient, message, lambda: _hand_over(mail.id, worker))
        return Outcome(mail.id, MailState.SENT, recipient=recipient)
    except LeaseLost:
        log.warning("mail %s was taken over by another worker", mail.id)
        return None
    except (Refused, BadAddress) as error:
        return Outcome(mail.id, MailState.FAILED, str(error), recipient=recipient)
    except Doubtful as error:
        return _try_again(mail, MailState.UNCERTAIN, str(error))
    except NotNow as error:
        return _try_again(mail, MailState.RETRYING, str(error))
    except Exception as error:  # a letter that cannot be written must not stop the others
        db.session.rollback()
        log.exception("mail %s could not be written", mail.id)
        return _try_again(mail, MailState.RETRYING, type(error).__name__)


def _try_again(mail: Claim, state: MailState, error: str) -> Outcome:
    if clock.now() - mail.due_at > GIVE_UP_AFTER:
        return Outcome(mail.id, MailState.FAILED, error)
    pause = min(LONGEST_PAUSE, timedelta(seconds=5 * 2 ** min(mail.attempts, 8)))
    jitter = random.uniform(0.5, 1)  # noqa: S311
    return Outcome(mail.id, state, error, clock.now() + pause * jitter)


def _hand_over(mail_id: int, worker: Worker) -> bool:
    """Note that all but the final dot is said; whether the mail is still this worker's to send."""
    with writing_once(worker.connection):
        return _note(mail_id, worker, {"state": MailState.HANDING_OVER, "lease_until": clock.now() + LEASE})


def _settle(worker: Worker, outcome: Outcome) -> None:
    values: dict[str, object] = {
        "state": outcome.state,
        "last_error": _cut(outcome.error),
        "lease_until": None,
    }
    if outcome.not_before:
        values["not_before"] = outcome.not_before
    if outcome.recipient:
        values["recipient"] = outcome.recipient
    if outcome.state is MailState.SENT:
        values["sent_at"] = clock.now()
    _note(outcome.mail_id, worker, values)


def _note(mail_id: int, worker: Worker, values: dict[str, object]) -> bool:
    """Note how far a mail has come; whether it is still in the hands of this worker."""
    return worker.connection.execute(IN_HAND, {"mail": mail_id, "taker": worker.name, **values}).rowcount == 1


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
    return _change_all(and_(OutgoingMail.id == mail_id, condition), values) == 1


def _change_all(condition: ColumnElement[bool], values: dict[str, object]) -> int:
    return _rows_of(db.session.execute(update(TABLE).where(condition).values(**values)))


def _rows_of(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
