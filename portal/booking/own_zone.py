"""The zone of a person's own clocks: a second line beside the times of video and phone visits."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from flask import request, session

from portal.core.pages import moment_in_words
from portal.scheduling.free_times import FreeTime
from portal.scheduling.models import Mode, Slot, VisitType

KEY = "zone"
get_all_zones = lru_cache(available_timezones)  # which looks through all their files
# What a person can choose without JavaScript; with it, the browser says which of all the world's it is.
ZONES = {
    "America/New_York": "Eastern",
    "America/Chicago": "Central",
    "America/Denver": "Mountain",
    "America/Phoenix": "Arizona",
    "America/Los_Angeles": "Pacific",
    "America/Anchorage": "Alaska",
    "Pacific/Honolulu": "Hawaii",
}


def remember(name: str) -> None:
    """Keep the zone for this browser; an empty name forgets it, an unknown one changes nothing."""
    if name in get_all_zones():
        session[KEY] = name
    elif not name:
        session.pop(KEY, None)


def remember_from_form() -> None:
    """Keep the zone that the browser has put into the form that was sent, if it has."""
    if name := request.form.get(KEY):
        remember(name)


def get() -> str | None:
    """The zone that this browser is in, where it has been said."""
    name: str | None = session.get(KEY)
    return name


def moment_there(
    slot: Slot | FreeTime, visit_type: VisitType, zone_name: str | None, moment: datetime | None = None
) -> str | None:
    """When a video or phone visit is by the person's own clocks, or another moment that concerns it, where these
    differ from the clinic's."""
    if zone_name is None or visit_type.mode == Mode.IN_PERSON:
        return None
    moment = moment or slot.starts_at
    here, there = moment.astimezone(slot.location.zone), moment.astimezone(ZoneInfo(zone_name))
    return None if _wall(here) == _wall(there) else moment_in_words(moment, ZoneInfo(zone_name))


def _wall(moment: datetime) -> datetime:
    return moment.replace(tzinfo=None)
