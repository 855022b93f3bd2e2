"""What other features ask of staff accounts."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from portal.accounts.models import Role, User
from portal.accounts.services import StaffRole
from portal.core.db import db


def list_active(role: StaffRole) -> Sequence[User]:
    """Everybody who can sign in with that role."""
    holds = User.roles.any(Role.name == role.value)
    return db.session.scalars(select(User).where(User.active.is_(True), holds).order_by(User.id)).all()


def get_user(user_id: int) -> User | None:
    """The account of that number."""
    return db.session.get(User, user_id)
