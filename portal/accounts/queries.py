"""What the desk asks of staff accounts."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select

from portal.accounts.models import User
from portal.core.db import db


def name_staff(ids: Collection[int]) -> dict[int, str]:
    """The names of these members of staff, by id."""
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all()) if ids else {}
