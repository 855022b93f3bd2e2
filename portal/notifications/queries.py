"""What the command line and the desk ask of the outbox."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from portal.audit.queries import find_latest
from portal.core import clock
from portal.core.db import db
from portal.notifications.models import HELD_MAIL, PROBLEMS, UNDER_WAY, WAITING, MailState, OutgoingMail
from portal.notifications.transport import is_of_mail

STRUGGLING = 5  # tries after which the desk hears of it
HEARD = (MailState.SENT, MailState.UNCERTAIN, *UNDER_WAY)
MANY = 1000  # mails put off for their mailboxes, far more than there ever are


def list_mail(limit: int = 50) -> Sequence[OutgoingMail]:
    """The newest mails, sent or not."""
    return db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc()).limit(limit)).all()


def list_mail_about(about_id: UUID) -> Sequence[OutgoingMail]:
    """All mails about one thing, such as an appointment, oldest first."""
    return db.session.scalars(
        select(OutgoingMail).where(OutgoingMail.about_id == about_id).order_by(OutgoingMail.id)
    ).all()


def find_waiting(about_ids: Collection[UUID]) -> Sequence[OutgoingMail]:
    """The mails about these things that wait for staff to let them go."""
    waits = (OutgoingMail.may_undo, OutgoingMail.state == MailState.QUEUED, OutgoingMail.not_before > clock.now())
    query = select(OutgoingMail).where(OutgoingMail.about_id.in_(about_ids), *waits)
    return db.session.scalars(query).all() if about_ids else []


def oldest_waiting() -> datetime | None:
    """Since when the oldest mail that is due has been waiting for us or our mail server; None when nothing waits.

    What the server puts off for one mailbox waits for that mailbox.
    """
    mail, due = OutgoingMail, OutgoingMail.due_at <= clock.now()
    untried = db.session.scalar(select(func.min(mail.due_at)).where(mail.state == MailState.QUEUED, due))
    tried = select(mail.due_at, mail.last_error).where(mail.state == MailState.RETRYING, due)
    put_off = db.session.execute(tried.order_by(mail.due_at).limit(MANY))
    unheard = next((row.due_at for row in put_off if not is_of_mail(row.last_error)), None)
    return min(filter(None, (untried, unheard)), default=None)


def list_held() -> Sequence[OutgoingMail]:
    """The mail that a restore has put on hold, by when it was due."""
    held = select(OutgoingMail).where(OutgoingMail.state == MailState.HELD)
    return db.session.scalars(held.order_by(OutgoingMail.due_at, OutgoingMail.id)).all()


def count_unsettled() -> Counter[str]:
    """How many mails stand in each state that is not the last one; waits, troubles the desk, or is on hold."""
    states = (*WAITING, *UNDER_WAY, *PROBLEMS, MailState.HELD)
    query = select(OutgoingMail.state, func.count()).where(OutgoingMail.state.in_(states)).group_by(OutgoingMail.state)
    return Counter({state.value: 0 for state in states} | dict(db.session.execute(query).all()))


def held_since() -> datetime | None:
    """When mail was put on hold last: what was not due by then cannot have left."""
    return find_latest("mail-held", {HELD_MAIL}).get(HELD_MAIL)


def get_mail(mail_id: int) -> OutgoingMail | None:
    """The mail of that number."""
    return db.session.get(OutgoingMail, mail_id)


def list_problems() -> Sequence[OutgoingMail]:
    """Mail that did not arrive, or is being tried again and again, and that the desk has not dealt with yet."""
    return db.session.scalars(select(OutgoingMail).where(_is_problem()).order_by(OutgoingMail.id)).all()


def troubled_among(abouts: Select[UUID]) -> Select[UUID | None]:
    """The query for those of these things, such as appointments, about which a mail is such a problem."""
    return select(OutgoingMail.about_id).where(OutgoingMail.about_id.in_(abouts), _is_problem())


def _is_problem() -> ColumnElement[bool]:
    struggling = and_(OutgoingMail.state == MailState.RETRYING, OutgoingMail.attempts >= STRUGGLING)
    forgotten = and_(OutgoingMail.state == MailState.BOUNCED, OutgoingMail.recipient.is_(None))
    return and_(or_(OutgoingMail.state.in_(PROBLEMS), struggling), ~forgotten, OutgoingMail.looked_at.is_(None))


def was_told(about_id: UUID, sequence: int) -> bool:
    """Whether a mail about that state of a thing has left for certain."""
    return _has_mail(about_id, (MailState.SENT,), OutgoingMail.sequence == sequence)


def may_have_heard(about_id: UUID, sequence: int) -> bool:
    """Whether a mail about that state of a thing has left, is leaving, or may have."""
    return _has_mail(about_id, HEARD, OutgoingMail.sequence == sequence)


def may_have_heard_of(about_id: UUID) -> bool:
    """Whether any mail about a thing has left, is leaving, or may have, and did not come back."""
    return _has_mail(about_id, HEARD)


def _has_mail(about_id: UUID, states: tuple[MailState, ...], *more: ColumnElement[bool]) -> bool:
    found = select(OutgoingMail.id).where(OutgoingMail.about_id == about_id, OutgoingMail.state.in_(states), *more)
    return db.session.scalar(found.limit(1)) is not None
