"""The journey of the browser that is asking, kept in the signed cookie as its random number alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import current_app, request, session
from itsdangerous import BadData

from portal.referrals import services

KEY = "journey"


def current() -> UUID | None:
    """The journey this browser is on, or None for one that has only read."""
    return _read(session)


def peek() -> UUID | None:
    """As `current`, on a page that is the same for everybody: looking at the session would keep caches from it."""
    interface: Any = current_app.session_interface
    lasts = int(current_app.permanent_session_lifetime.total_seconds())
    try:
        cookie = request.cookies.get(interface.get_cookie_name(current_app), "")
        return _read(interface.get_signing_serializer(current_app).loads(cookie, max_age=lasts)) if cookie else None
    except BadData:
        return None


def ensure(article: str | None = None) -> UUID:
    """The journey this browser is on, started now if need be."""
    return remember(services.start_journey(current(), article))


def remember(journey_id: UUID) -> UUID:
    """Keep that journey in the cookie."""
    if session.get(KEY) != str(journey_id):
        session[KEY] = str(journey_id)
        session.permanent = True
    return journey_id


def _read(kept: Any) -> UUID | None:
    try:
        return UUID(kept[KEY])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
