"""What has just been done to a visit, said once on its page, in the browser in which it was done."""

from __future__ import annotations

from flask import session

from portal.booking.models import Appointment

KEY = "news"


def tell_once(appointment: Appointment, news: str) -> None:
    """Let the visit's page say this, the next time that this browser shows it."""
    session[KEY] = [appointment.reference, news]


def take(appointment: Appointment) -> str | None:
    """What the visit's page is to say, which is then said; None where the visit does not stand any more."""
    told = session.pop(KEY, None)
    return told[1] if isinstance(told, list) and told[0] == appointment.reference and appointment.stands else None
