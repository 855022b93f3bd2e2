"""What pages ask of staff accounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from portal.accounts.models import User
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
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids.values())))
    names = {f"staff:{user_id}": name for user_id, name in rows}
    return {**UNNAMED, **{actor: names.get(actor, actor) for actor in ids}}
