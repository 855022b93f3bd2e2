"""What a manager does to colleagues' accounts. Nobody does it to the own account, and a manager always stays."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from portal import audit
from portal.accounts import invitations, services
from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.core.db import db, transactional
from portal.core.edits import Values, check_unchanged, find_changes

Act = Callable[[int, int], None]  # on an account, by whose


class OwnAccount(ValueError):
    """Somebody else must do that: it is one's own account."""


class LastManager(ValueError):
    """Without this account nobody could change the set-up any more."""


def read_member(user: User) -> Values:
    """What can be edited of an account."""
    return {"name": user.name, "role": user.role, "provider_id": user.provider_id}


@transactional
def invite(email: str, name: str, role: StaffRole, provider_id: int | None) -> None:
    """Make an account and mail an invitation. Raises AccountExists."""
    invitations.add_invited_staff(email, name, role)
    services.get_account(email).provider_id = provider_id


@transactional
def change_member(user_id: int, new: Values, seen: Values, acting: int) -> None:
    """Change name, role, and whose diary it is.

    Raises LookupError, ChangedMeanwhile, and, for a change of role, OwnAccount and LastManager.
    """
    user = _lock(user_id)
    stored = read_member(user)
    check_unchanged(seen, stored)
    changed = find_changes(stored, new)
    if "role" in changed:
        _refuse_own(user, acting)
        if new["role"] != StaffRole.MANAGER:
            _keep_a_manager(user)
        services.give_role(user, StaffRole(new["role"]))
    user.name, user.provider_id = new["name"], new["provider_id"]
    if changed:
        db.session.flush()
        audit.services.record("staff-changed", f"staff:{user.id}", changes=changed)


@transactional
def close_member(user_id: int, acting: int) -> None:
    """Close an account and end its sessions. Raises LookupError, OwnAccount, LastManager."""
    user = _lock(user_id)
    _refuse_own(user, acting)
    _keep_a_manager(user)
    services.disable_staff(user.email)


@transactional
def invite_anew(user_id: int, acting: int) -> None:
    """Open an account without password and second factor, and mail an invitation; its sessions end.

    Raises LookupError, OwnAccount, LastManager.
    """
    user = _lock(user_id)
    _refuse_own(user, acting)
    _keep_a_manager(user)
    if user.password or not user.active:
        services.reset_staff(user.email)
        user.password = None
    invitations.invite_again(user.email)


@transactional
def end_sessions(user_id: int, acting: int) -> None:
    """Sign somebody out wherever they are signed in. Raises LookupError, OwnAccount."""
    user = _lock(user_id)
    _refuse_own(user, acting)
    services.sign_out_staff(user.email)


@transactional
def reset_second_step(user_id: int, acting: int) -> None:
    """Let somebody who has lost phone and codes sign in with the password and set the second step up anew.

    Raises LookupError, OwnAccount.
    """
    user = _lock(user_id)
    _refuse_own(user, acting)
    services.reset_second_step(user)


def _lock(user_id: int) -> User:
    # All of them, in order: two managers must not take the role from each other at once.
    query = select(User).order_by(User.id).with_for_update().execution_options(populate_existing=True)
    user = {user.id: user for user in db.session.scalars(query)}.get(user_id)
    if user is None:
        raise LookupError(user_id)
    return user


def _refuse_own(user: User, acting: int) -> None:
    if user.id == acting:
        raise OwnAccount(user.id)


def _keep_a_manager(user: User) -> None:
    others = db.session.scalars(select(User).where(User.id != user.id, User.active, User.password.is_not(None)))
    if not any(other.role == StaffRole.MANAGER for other in others):
        raise LastManager(user.id)
