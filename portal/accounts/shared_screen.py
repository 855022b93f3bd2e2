"""Who is signed in at this browser: a screen that several people use, which locks when nobody does.

The cookie holds a session's random id; what it stands for is a row, looked up once in each request.
"""

from __future__ import annotations

from flask import Flask, current_app, g, request, session
from flask_login import current_user, logout_user

from portal.accounts import known_browser, sessions
from portal.accounts.models import Proof, StaffSession, User
from portal.accounts.queries import find_active_staff
from portal.core import clock

TOKEN = "_user_id"  # noqa: S105 - where Flask-Login looks for who is there
AWAITING, PEOPLE, LOCKED, LEFT = "desk_awaiting", "desk_people", "desk_locked", "desk_left"
MOST_PEOPLE = 6


def init_app(app: Flask) -> None:
    app.config["SESSION_PROTECTION"] = None  # of Flask-Login: it would tie a session to an address
    app.extensions["security"].login_manager.user_loader(_load)
    app.before_request(_watch)
    app.jinja_env.globals["screen"] = {"is_locked": is_locked, "needs_second_step": needs_second_step}


def current_session() -> StaffSession:
    """The session of whoever is signed in."""
    assert current_user.is_authenticated
    row: StaffSession = g.staff_session
    return row


def enter(user: User, token: str) -> None:
    """Let this browser go on as that person."""
    before = session.get(PEOPLE, [])
    if before[:1] != [user.id]:
        session.pop("csrf_token", None)  # forms that somebody else left open end with them
    for key in (LOCKED, AWAITING):
        session.pop(key, None)
    go_on_as(token)
    people = session[PEOPLE] = [user.id, *(person for person in before if person != user.id)][:MOST_PEOPLE]
    left = session.get(LEFT, {})
    session[LEFT] = {str(person): left[str(person)] for person in people[1:] if str(person) in left}
    known_browser.remember(user)


def go_on_as(token: str) -> None:
    """Go on under a session's new id."""
    session[TOKEN] = token
    g.pop("_login_user", None)  # what Flask-Login knew of this request


def await_second_step(token: str) -> None:
    """Remember that the password was right and the second step is missing."""
    session[AWAITING] = token


def find_awaiting() -> StaffSession | None:
    """The session that awaits the second step at this browser, within ten minutes."""
    return sessions.find_awaiting(session.get(AWAITING))


def come_back(user: User, device: str) -> str | None:
    """The id of a new session for somebody who left this screen locked, where the password is enough for that."""
    return sessions.reopen(session.get(LEFT, {}).get(str(user.id)), user.id, device)


def lock() -> None:
    """End the session and say so to whoever comes next, who may be the same person."""
    token, row = session.get(TOKEN), leave(sessions.LOCKED)
    session[LOCKED] = True
    if row is not None:
        session[LEFT] = {**session.get(LEFT, {}), str(row.user_id): token}


def leave(action: str) -> StaffSession | None:
    """End the session, which is returned, noted under that name."""
    row: StaffSession | None = g.get("staff_session") if session.get(TOKEN) else None
    if row is not None and row.ended_at is None:  # a page that was under way while the screen locked ends no lock
        g.acting_staff = row.user_id
        sessions.end(row.id, row.user_id, action)
    logout_user()
    session.pop(AWAITING, None)
    return row


def list_people() -> list[User]:
    """Who has signed in at this browser and may again, the last one first."""
    return find_active_staff(session.get(PEOPLE, []))


def is_locked() -> bool:
    """Whether somebody left this screen and may come back."""
    return bool(session.get(LOCKED))


def needs_second_step() -> bool:
    """Whether whoever is signed in must set up a second step before anything else."""
    return bool(current_app.config["PORTAL"].mfa_required) and current_session().proof == Proof.PASSWORD


def _load(token: str) -> User | None:
    row = g.staff_session = sessions.find(token)
    return row.user if row is not None and sessions.is_open(row) else None


def _watch() -> None:
    """Note each use; sign out who has been away for 15 minutes, or here for 8 hours, or whose session was ended.

    A page that refreshes itself says `poll`, which is no use by anybody.
    """
    if not request.path.startswith(("/desk", "/fhir")) or TOKEN not in session:
        return
    if not current_user.is_authenticated:
        row = g.get("staff_session")
        idle = row is not None and row.ended_at is None and sessions.has_run_out(row)
        lock() if idle else leave("signed-out")
    elif "poll" not in request.args and clock.now() - g.staff_session.seen_at >= sessions.NOTED_EVERY:
        sessions.note_use(g.staff_session.id)
