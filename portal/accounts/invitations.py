"""Invitations: somebody who has an account and no password yet chooses one, by a link that works once.

An invitation goes by the account's uniquifier, which each invitation, password, reset and closing renews: so any of
them ends it. Nothing else is stored.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from flask import Flask, current_app, g
from flask_security import hash_password
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from portal import audit
from portal.accounts import services
from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.core import clock
from portal.core.db import db, transactional

LASTS = timedelta(days=3)


class NeedsReset(ValueError):
    """The account has a password already, or is closed: a reset is what it needs."""


class InvitationEnded(LookupError):
    """The link was never one, has been used, has run out, or the account has been changed since."""


def send_with(app: Flask, send: Callable[[UUID], object]) -> None:
    """Let a feature that knows mail send the invitation of that id, within the transaction that makes it."""
    app.extensions["portal.invitations"] = send


@transactional
def add_invited_staff(email: str, name: str, role: StaffRole) -> None:
    """Make an account without a password and invite its owner to choose one. Raises AccountExists."""
    _send(services.add_account(email, name, role))


@transactional
def invite_again(email: str) -> None:
    """Send a new invitation; the one before ends. Raises NoSuchAccount or NeedsReset."""
    user = services.get_account(email)
    if user.password or not user.active:
        raise NeedsReset(email)
    services.renew_uniquifier(user)
    _send(user)


def get_invited(invitation_id: UUID, for_update: bool = False) -> User | None:
    """The account that stands invited under that id."""
    query = select(User).where(User.fs_uniquifier == invitation_id.hex, User.active.is_(True), User.password.is_(None))
    return db.session.scalar(query.with_for_update().execution_options(populate_existing=True) if for_update else query)


def sign(user: User, invited_at: datetime) -> tuple[str, datetime]:
    """The secret of the link for an account that was invited then, and until when it works."""
    until = invited_at + LASTS
    return _signer().dumps([user.fs_uniquifier, int(until.timestamp())]), until


def find_by_link(token: str, for_update: bool = False) -> User:
    """The account whose invitation that is. Raises InvitationEnded."""
    try:
        uniquifier, until = _signer().loads(token)
    except BadData:
        raise InvitationEnded from None
    user = get_invited(UUID(uniquifier), for_update) if clock.now().timestamp() < until else None
    if user is None:
        raise InvitationEnded
    return user


@transactional
def accept(token: str, password: str) -> None:
    """Give the invited account its password; the link works no more. Raises InvitationEnded."""
    user = find_by_link(token, for_update=True)
    g.acting_staff = user.id  # for the audit trail: nobody is signed in
    user.password = hash_password(services.normalize_password(password))
    services.renew_uniquifier(user)
    audit.services.record("invitation-accepted", f"staff:{user.id}")


def _send(user: User) -> None:
    db.session.flush()
    send: Callable[[UUID], None] = current_app.extensions["portal.invitations"]
    send(UUID(user.fs_uniquifier))
    audit.services.record("staff-invited", f"staff:{user.id}")


def _signer() -> URLSafeSerializer:
    assert current_app.secret_key
    return URLSafeSerializer(current_app.secret_key, salt="staff-invitation")
