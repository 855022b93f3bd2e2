"""A screen that several people use: it locks when nobody does, and the next one signs in with a password alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import Flask, request, session
from flask_login import current_user, user_logged_in
from flask_security.utils import logout_user

from portal.accounts.models import User
from portal.accounts.queries import find_active_staff
from portal.accounts.services import record_lock
from portal.core import clock

IDLE, LONGEST = timedelta(minutes=15), timedelta(hours=8)
NOTED_EVERY = 30  # seconds: not each request needs a new cookie
SEEN, BEGAN, PEOPLE, LOCKED = "desk_seen", "desk_began", "desk_people", "desk_locked"
MOST_PEOPLE = 6


def init_app(app: Flask) -> None:
    user_logged_in.connect(_begin, app)
    app.before_request(_lock_when_idle)
    app.jinja_env.globals["screen"] = {"people": list_people, "is_locked": lambda: bool(session.get(LOCKED))}


def lock() -> None:
    """Sign out, and remember that it was to lock the screen."""
    record_lock(current_user.id)
    logout_user()
    session[LOCKED] = True


def list_people() -> list[User]:
    """Who has signed in at this browser and may again, the last one first."""
    return find_active_staff(session.get(PEOPLE, []))


def _begin(_app: Flask, user: User, **_: Any) -> None:
    now = int(clock.now().timestamp())
    others = [person for person in session.get(PEOPLE, []) if person != user.id]
    session.pop(LOCKED, None)
    session.update({BEGAN: now, SEEN: now, PEOPLE: [user.id, *others][:MOST_PEOPLE]})


def _lock_when_idle() -> None:
    """End the session after 15 minutes without use, and after 8 hours in any case.

    A page that refreshes itself says `poll`, which is no use by anybody.
    """
    if not request.path.startswith(("/desk", "/fhir")) or not current_user.is_authenticated:
        return
    now = clock.now().timestamp()
    seen, began = session.get(SEEN, 0), session.get(BEGAN, 0)
    if now - seen >= IDLE.total_seconds() or now - began >= LONGEST.total_seconds():
        lock()
    elif "poll" not in request.args and now - seen >= NOTED_EVERY:
        session[SEEN] = int(now)
