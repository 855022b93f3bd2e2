"""What the desk asks of staff accounts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import select

from portal.accounts.models import Role, User
from portal.accounts.services import StaffRole
from portal.core.db import db

UNNAMED = {"system": "the command line", "patient": "somebody who was not signed in"}


def list_staff() -> Sequence[User]:
    """All accounts, those that are open first, by name."""
    return db.session.scalars(select(User).order_by(User.active.desc(), User.name, User.id)).all()


def get_member(user_id: int) -> User | None:
    """The account of that id."""
    return db.session.get(User, user_id) if user_id < 2**31 else None


def name_actors(actors: Iterable[str]) -> dict[str, str]:
    """Who they are that the audit trail names like "staff:7"."""
    ids = {actor: int(actor.removeprefix("staff:")) for actor in set(actors) if actor.startswith("staff:")}
    names = name_staff(ids.values())
    return {**UNNAMED, **{actor: names.get(user_id, actor) for actor, user_id in ids.items()}}


def name_staff(ids: Collection[int]) -> dict[int, str]:
    """The names of these members of staff, by id."""
    return dict(db.session.execute(select(User.id, User.name).where(User.id.in_(ids))).all()) if ids else {}


def find_active_staff(ids: list[int]) -> list[User]:
    """These members of staff, as far as they may sign in, in that order."""
    rows = db.session.scalars(select(User).where(User.id.in_(ids), User.active, User.password.is_not(None)))
    return sorted(rows, key=lambda user: ids.index(user.id)) if ids else []


def list_active(role: StaffRole) -> Sequence[User]:
    """Everybody who can sign in with that role."""
    holds = User.roles.any(Role.name == role.value)
    return db.session.scalars(select(User).where(User.active.is_(True), holds).order_by(User.id)).all()
