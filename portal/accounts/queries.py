"""What the desk asks of staff accounts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from portal.accounts.models import User
from portal.core.db import db


def name_staff(ids: Collection[int]) -> dict[int, str]:
    """The names of these members of staff, by id."""
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all()) if ids else {}


def find_active_staff(ids: list[int]) -> list[User]:
    """These members of staff, as far as they may sign in, in that order."""
    rows = db.session.scalars(select(User).where(User.id.in_(ids), User.active, User.password.is_not(None)))
    return sorted(rows, key=lambda user: ids.index(user.id)) if ids else []
