"""The diary as the desk sees it; the desk owns no tables."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from portal.assessment.brief import Brief, write_brief
from portal.booking.models import Appointment
from portal.core import clock
from portal.scheduling.set_up import NoClinic, get_set_up

UTC = ZoneInfo("UTC")


def get_today() -> date:
    """The day it is at the clinic: by the clocks of its first place, by name; in UTC before there is one."""
    try:
        places = get_set_up().locations
    except NoClinic:
        places = []
    return clock.today(places[0].zone if places else UTC)


def brief_of(appointment: Appointment) -> Brief | None:
    """What the visit's assessment says."""
    return write_brief(appointment.assessment) if appointment.assessment is not None else None
