"""Who may see a visit without an account: the browser that opened its link, for an hour since the last look.

The link's token is swapped for this at the first view, so that the address left in the browser's history, in a
screenshot or in a forwarded page opens nothing.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import session

from portal.core import clock

KEY = "visits"
LASTS = timedelta(hours=1)
MOST = 4  # visits of one browser at a time, so that the cookie stays small


def grant(appointment_id: UUID) -> None:
    """Let this browser see the visit for an hour from now."""
    until = int((clock.now() + LASTS).timestamp())
    kept = {key: end for key, end in _current().items() if key != appointment_id.hex}
    session[KEY] = {**dict(list(kept.items())[1 - MOST :]), appointment_id.hex: until}


def is_granted(appointment_id: UUID) -> bool:
    """Whether this browser may see the visit now."""
    return appointment_id.hex in _current()


def _current() -> dict[str, int]:
    stored = session.get(KEY)
    now = clock.now().timestamp()
    return {key: end for key, end in stored.items() if end > now} if isinstance(stored, dict) else {}
