"""The diary as the desk sees it; the desk owns no tables."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from portal.assessment.brief import Brief, write_brief
from portal.booking.models import Appointment
from portal.core import clock
from portal.scheduling.queries import list_locations


def get_today() -> date:
    """The day it is at the clinic: by the clocks of its first place, by name."""
    places = list_locations()
    return clock.today(places[0].zone if places else ZoneInfo("UTC"))


def brief_of(appointment: Appointment) -> Brief | None:
    """What the visit's assessment says."""
    return write_brief(appointment.assessment) if appointment.assessment is not None else None
