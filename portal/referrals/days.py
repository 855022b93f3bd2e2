"""The day it is for the counts: by the clinic's clocks, which a feature above this one knows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from portal.core import clock

_zones: list[Callable[[], ZoneInfo]] = [lambda: ZoneInfo("UTC")]


def count_days_in(zone: Callable[[], ZoneInfo]) -> None:
    """Let a feature say by which clocks days are counted."""
    _zones[:] = [zone]


def today() -> date:
    """The day it is at the clinic."""
    return clock.today(_zones[0]())
