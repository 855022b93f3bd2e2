"""The journey of the browser that is asking, kept in the signed cookie as its random number alone."""

from __future__ import annotations

from uuid import UUID

from flask import session

from portal.referrals import services

KEY = "journey"


def current() -> UUID | None:
    """The journey this browser is on, or None for one that has only read."""
    try:
        return UUID(session[KEY])
    except (KeyError, TypeError, ValueError, AttributeError):
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
