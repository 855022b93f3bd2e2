"""Who may see a visit without an account: the browser that opened its link, for an hour since the last look.

The link's token is swapped for this at the first view, so that the address left in the browser's history, in a
screenshot or in a forwarded page opens nothing.
"""

from __future__ import annotations

from datetime import timedelta

from flask import session

from portal.booking.models import Appointment
from portal.core import clock

KEY = "visits"
LASTS = timedelta(hours=1)
MOST = 4  # visits of one browser at a time, so that the cookie stays small


def grant(appointment: Appointment) -> None:
    """Let this browser see the visit for an hour from now, as long as its link is the same."""
    until, key = int((clock.now() + LASTS).timestamp()), _key(appointment)
    kept = {known: end for known, end in _current().items() if known != key}
    session[KEY] = {**dict(list(kept.items())[1 - MOST :]), key: until}


def is_granted(appointment: Appointment) -> bool:
    """Whether this browser may see the visit now."""
    return _key(appointment) in _current()


def is_open(appointment: Appointment) -> bool:
    """Whether the browser that booked the visit may see it now: for an hour, too, or longer if it goes on looking."""
    return is_granted(appointment) or is_new(appointment)


def is_new(appointment: Appointment) -> bool:
    """Whether the visit was booked within the last hour, and nobody has ended its link since."""
    return appointment.link_ended_at is None and appointment.created_at > clock.now() - LASTS


def _key(appointment: Appointment) -> str:
    """The visit under its present link: whoever ends the link ends this, too."""
    return f"{appointment.id.hex}{appointment.token_hash[:8]}"


def _current() -> dict[str, int]:
    stored = session.get(KEY)
    now = clock.now().timestamp()
    return {key: end for key, end in stored.items() if end > now} if isinstance(stored, dict) else {}
