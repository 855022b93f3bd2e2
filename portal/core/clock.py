"""The only clock. Tests stop it; nothing else in the portal asks what time it is."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """This instant in UTC."""
    return datetime.now(UTC)


def today(zone: ZoneInfo) -> date:
    """The calendar day it is in that zone."""
    return now().astimezone(zone).date()


class NonexistentTime(ValueError):
    """A wall time that the clocks skip when they go forward."""


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant in UTC at which the clocks of that zone show this wall time.

    Raises NonexistentTime for a time that clocks skip; of a time that comes twice, the first is meant.
    """
    utc = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if utc.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        raise NonexistentTime(f"{wall:%H:%M} does not exist on {wall:%B} {wall.day} in {zone.key}")
    return utc
