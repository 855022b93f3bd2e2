"""Sessions of staff: rows, so that each ends the moment it is to. The browser holds a random id and nothing else of it.

A session ends after 15 minutes without use and 8 hours in any case. What has ended never comes back: whoever signs in
again gets a new id, and a copy of an old cookie opens nothing. At a screen that was locked the second step which was
shown there counts on, for 8 hours and for who comes back with the password first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, bindparam, delete, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from portal import audit
from portal.accounts.models import Proof, StaffSession, User
from portal.core import clock
from portal.core.crypto import new_token, token_hash
from portal.core.db import db, transactional

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=8)
RECENT = timedelta(minutes=15)  # how long a proof counts for what asks for a recent one
SECOND_STEP_WITHIN = timedelta(minutes=10)
NOTED_EVERY = timedelta(seconds=30)  # not each request needs a write
LOCKED = "locked"  # how a session ends, as the audit trail has it, that can be come back to
KEPT = timedelta(days=7)  # rows that have ended
# Built once: it is asked on each page of the desk.
BY_TOKEN = select(StaffSession).where(StaffSession.token_hash == bindparam("token_hash"))
BY_TOKEN = BY_TOKEN.options(joinedload(StaffSession.user).joinedload(User.roles))


class AnsweredBefore(ValueError):
    """A passkey's answer to that challenge has begun a session already."""


def find(token: str | None) -> StaffSession | None:
    """The session of that id with its user, in whatever state; None where there is none."""
    if not token:
        return None
    return db.session.scalar(BY_TOKEN, {"token_hash": token_hash(token)})


def is_open(row: StaffSession) -> bool:
    """Whether somebody is signed in by it now."""
    return row.proof is not None and row.ended_at is None and row.user.active and not has_run_out(row)


def has_run_out(row: StaffSession) -> bool:
    """Whether nobody has used it for 15 minutes, or it is 8 hours old."""
    now = clock.now()
    return now - row.seen_at >= IDLE or now - row.begun_at >= LONGEST


def is_recent(row: StaffSession) -> bool:
    """Whether the person has shown within 15 minutes to be who they are."""
    return clock.now() - row.proved_at < RECENT


def find_awaiting(token: str | None) -> StaffSession | None:
    """The session of that id which awaits the second step."""
    row = find(token)
    if row is None or row.proof is not None or row.ended_at is not None or not row.user.active:
        return None
    return row if clock.now() - row.begun_at < SECOND_STEP_WITHIN else None


def list_open(user_id: int) -> Sequence[StaffSession]:
    """Where somebody is signed in, or the password alone lets in, what was used last first."""
    now = clock.now()
    opens = or_(StaffSession.seen_at > now - IDLE, StaffSession.stepped_at > now - LONGEST)
    stands = or_(_is_locked(), and_(_is_running(), opens))
    query = select(StaffSession).where(StaffSession.user_id == user_id, StaffSession.proof.is_not(None), stands)
    return db.session.scalars(query.order_by(StaffSession.seen_at.desc(), StaffSession.id.desc())).all()


@transactional
def begin(
    user_id: int, device: str, proof: Proof | None, challenge: str | None = None, stepped_at: datetime | None = None
) -> str:
    """Begin a session; returns its id. Without a proof it awaits the second step.

    Raises AnsweredBefore where a passkey's answer is used again.
    """
    token, now = new_token(), clock.now()
    steps_now = proof not in (None, Proof.PASSWORD)
    db.session.add(
        StaffSession(
            token_hash=token_hash(token),
            user_id=user_id,
            proof=proof,
            device=device,
            begun_at=now,
            seen_at=now,
            proved_at=now,
            stepped_at=stepped_at or (now if steps_now else None),
            answered=token_hash(challenge) if challenge else None,
        )
    )
    try:
        db.session.flush()
    except IntegrityError:
        raise AnsweredBefore from None
    if proof:
        by = Proof.PASSWORD if stepped_at else proof
        audit.services.record("signed-in", f"staff:{user_id}", by=str(by))
    return token


@transactional
def reopen(token: str | None, user_id: int, device: str) -> str | None:
    """Let the password be enough after a lock; the new session's id, or None where a second step is needed.

    Each locked session is come back to once, and only while the second step shown in it is under 8 hours old.
    """
    locked = (
        StaffSession.token_hash == token_hash(token or ""),
        StaffSession.user_id == user_id,
        _is_locked(),
    )
    statement = update(StaffSession).where(*locked).values(locked_at=None)
    found = db.session.execute(statement.returning(StaffSession.proof, StaffSession.stepped_at)).one_or_none()
    return begin(user_id, device, Proof(found.proof), stepped_at=found.stepped_at) if found else None


@transactional
def pass_second_step(row_id: int, user_id: int, device: str, proof: Proof) -> str:
    """End the session that awaited it and begin the one it leads to; returns the new id."""
    db.session.execute(delete(StaffSession).where(StaffSession.id == row_id))
    return begin(user_id, device, proof)


@transactional
def renew(row_id: int, proof: Proof | None = None) -> str:
    """Go on under a new id, which is returned; the old one opens nothing any more."""
    token = new_token()
    changed: dict[str, object] = {"token_hash": token_hash(token), "new_totp": None}
    if proof:
        changed |= {"proof": proof, "stepped_at": None if proof == Proof.PASSWORD else clock.now()}
    db.session.execute(update(StaffSession).where(StaffSession.id == row_id).values(changed))
    return token


@transactional
def note_use(row_id: int) -> None:
    """Somebody has used it just now."""
    db.session.execute(update(StaffSession).where(StaffSession.id == row_id).values(seen_at=clock.now()))


@transactional
def note_proof(row_id: int, user_id: int, by: Proof) -> None:
    """The person has shown once more to be who they are."""
    db.session.execute(update(StaffSession).where(StaffSession.id == row_id).values(proved_at=clock.now()))
    audit.services.record("identity-confirmed", f"staff:{user_id}", by=str(by))


@transactional
def end(row_id: int, user_id: int, action: str) -> bool:
    """End that session of that account, a locked one too, noted under that name; whether it had not ended before.

    Raises LookupError where the account has no such session.
    """
    if db.session.scalar(select(StaffSession.user_id).where(StaffSession.id == row_id)) != user_id:
        raise LookupError(row_id)
    locked_at = clock.now() if action == LOCKED else None
    ended = _end(StaffSession.id == row_id, StaffSession.user_id == user_id, locked_at=locked_at) > 0
    if ended:
        audit.services.record(action, f"staff:{user_id}")
    return ended


@transactional
def end_all(user_id: int, why: str, but: int | None = None) -> int:
    """End every session of an account, but the one of that id; says how many. Call it in what makes them end."""
    ended = _end(StaffSession.user_id == user_id, StaffSession.id != (but or 0))
    if ended:
        audit.services.record("sessions-ended", f"staff:{user_id}", count=ended, why=why)
    return ended


@transactional
def forget_old() -> int:
    """Delete what has ended or run out a week ago; says how many."""
    old = clock.now() - KEPT
    return db.session.execute(delete(StaffSession).where(StaffSession.seen_at < old)).rowcount  # type: ignore[attr-defined, no-any-return]


def _end(*which: ColumnElement[bool], locked_at: datetime | None = None) -> int:
    stands = or_(_is_running(), _is_locked())
    statement = update(StaffSession).where(stands, *which).values(ended_at=clock.now(), locked_at=locked_at)
    return db.session.execute(statement).rowcount  # type: ignore[attr-defined, no-any-return]


def _is_running() -> ColumnElement[bool]:
    return and_(StaffSession.ended_at.is_(None), StaffSession.begun_at > clock.now() - LONGEST)


def _is_locked() -> ColumnElement[bool]:
    """Whether the password alone opens it again."""
    return and_(StaffSession.locked_at.is_not(None), StaffSession.stepped_at > clock.now() - LONGEST)
