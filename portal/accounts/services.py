"""Add, disable and reset staff accounts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from enum import StrEnum

from flask import current_app
from flask_security import hash_password
from flask_security.datastore import UserDatastore
from sqlalchemy import delete, select

from portal import audit
from portal.accounts import news, sessions
from portal.accounts.models import User, WebAuthn
from portal.core.db import db, transactional

_after_leaving: dict[str, Callable[[int], None]] = {}
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 128  # characters


class StaffRole(StrEnum):
    """What staff may do; a manager may do everything."""

    FRONT_DESK = "front-desk"
    CLINICIAN = "clinician"
    MANAGER = "manager"


class NoSuchAccount(LookupError):
    """There is no staff account with that e-mail address."""


class AccountExists(ValueError):
    """A staff account with that e-mail address exists already."""


@transactional
def add_staff(email: str, name: str, role: StaffRole) -> str:
    """Make an account and return its first password, which is stored only as a hash.

    Raises AccountExists.
    """
    password = new_password()
    add_account(email, name, role).password = hash_password(password)
    return password


@transactional
def add_account(email: str, name: str, role: StaffRole) -> User:
    """Make an account, which nobody can sign in to before it has a password. Raises AccountExists."""
    if _store().find_user(email=email, case_insensitive=True):
        raise AccountExists(email)
    user = _store().create_user(email=email, name=name, active=True, roles=[_store().find_or_create_role(role.value)])
    assert isinstance(user, User)
    db.session.flush()
    audit.services.record("staff-added", f"staff:{user.id}", role=role.value)
    return user


def give_role(user: User, role: StaffRole) -> None:
    """Make that the account's one role; its sessions end."""
    user.roles = [_store().find_or_create_role(role.value)]
    sessions.end_all(user.id, "role changed")


def do_after_leaving(act: Callable[[int], None]) -> None:
    """Let a feature act, in the same transaction, on a diary whose last open account is closed."""
    _after_leaving[act.__qualname__] = act


@transactional
def disable_staff(email: str) -> None:
    """Close an account; every session of it ends. Raises NoSuchAccount."""
    user = get_account(email)
    user.active = False
    renew_uniquifier(user)
    sessions.end_all(user.id, "account closed")
    audit.services.record("staff-disabled", f"staff:{user.id}")
    if user.provider_id is not None and not _has_account(user.provider_id):
        for act in _after_leaving.values():
            act(user.provider_id)


@transactional
def reset_staff(email: str) -> str:
    """Open an account again with a new password and without its second factor; returns the password.

    Every session of it ends. Raises NoSuchAccount.
    """
    user = get_account(email)
    password = new_password()
    user.active, user.password = True, hash_password(password)
    _forget_second_step(user)
    renew_uniquifier(user)
    sessions.end_all(user.id, "account reset")
    audit.services.record("staff-reset", f"staff:{user.id}")
    return password


@transactional
def sign_out_staff(email: str) -> int:
    """End every session of an account; says how many. Raises NoSuchAccount."""
    user = get_account(email)
    audit.services.record("staff-signed-out", f"staff:{user.id}")
    return sessions.end_all(user.id, "signed out by somebody else")


@transactional
def reset_second_step(user: User) -> None:
    """Take an account's app, passkeys and recovery codes away; its sessions end, and the person hears of it by mail."""
    _forget_second_step(user)
    sessions.end_all(user.id, "second step reset")
    audit.services.record("second-step-reset", f"staff:{user.id}")
    news.tell(user, "second-step-reset")


def _has_account(provider_id: int) -> bool:
    db.session.flush()
    return db.session.scalar(select(User.id).where(User.active, User.provider_id == provider_id).limit(1)) is not None


def _forget_second_step(user: User) -> None:
    user.tf_primary_method = user.tf_totp_secret = user.totp_counter = user.mf_recovery_codes = None
    db.session.execute(delete(WebAuthn).where(WebAuthn.user_id == user.id))


def has_staff() -> bool:
    """Whether anybody can sign in: accounts that are closed, or were never given a password, do not count."""
    able = select(User.id).where(User.active, User.password.is_not(None))
    return db.session.scalar(able.limit(1)) is not None


def new_password() -> str:
    """A random password that can be typed: 4 groups of 5, 98 bits."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4))


def normalize_password(password: str) -> str:
    """A password in the one form in which it is hashed and compared, however a keyboard composes its letters."""
    normal: str = current_app.extensions["security"].password_util.normalize(password)
    return normal


def get_account(email: str) -> User:
    """The account with that e-mail address, in any case of letters. Raises NoSuchAccount."""
    user = find_account(email)
    if user is None:
        raise NoSuchAccount(email)
    return user


def find_account(email: str) -> User | None:
    """The account with that e-mail address, in any case of letters."""
    user = _store().find_user(email=email, case_insensitive=True)
    assert user is None or isinstance(user, User)
    return user


def renew_uniquifier(user: User) -> None:
    """End an invitation that was sent, and what browsers keep of an account that signed in there."""
    _store().set_uniquifier(user)


def _store() -> UserDatastore:
    store: UserDatastore = current_app.extensions["security"].datastore
    return store
