"""The diary as the desk sees it; the desk owns no tables."""

from __future__ import annotations

from datetime import date

from portal.assessment.brief import Brief, write_brief
from portal.booking.models import Appointment
from portal.core import clock
from portal.scheduling.queries import get_zone


def get_today() -> date:
    """The day it is at the clinic."""
    return clock.today(get_zone())


def brief_of(appointment: Appointment) -> Brief | None:
    """What the visit's assessment says."""
    return write_brief(appointment.assessment) if appointment.assessment is not None else None
