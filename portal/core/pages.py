"""What templates know besides their own context: components, dates and numbers in words."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from flask import Flask
from jinja2 import Environment

from portal.config import current_settings
from portal.core import clock


class Components:
    """The macros of templates/components/ui.html, usable in whole pages and in fragments alike."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment.get_template("components/ui.html").module, name)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(ui=Components(app.jinja_env), settings=current_settings)
    app.jinja_env.filters.update(
        day=day_in_words,
        long_day=long_day_in_words,
        full_date=date_in_words,
        time=time_in_words,
        zone=zone_name,
        moment=moment_in_words,
        tel=tel_link,
        phone=phone_in_words,
        ago=ago_in_words,
        clock=clock_in_words,
    )


def day_in_words(value: date) -> str:
    """Like "Tue, Nov 24"."""
    return f"{value:%a, %b} {value.day}"


def long_day_in_words(value: date) -> str:
    """Like "Tuesday, November 24"."""
    return f"{value:%A, %B} {value.day}"


def date_in_words(value: date) -> str:
    """Like "May 17, 1980"."""
    return f"{value:%b} {value.day}, {value.year}"


def time_in_words(value: datetime, zone: ZoneInfo) -> str:
    """Wall time in that zone, like "9:20 am"."""
    return clock_in_words(value.astimezone(zone).time())


def clock_in_words(value: time) -> str:
    """What a clock on the wall shows, like "9:20 am"."""
    return f"{value.hour % 12 or 12}:{value:%M} {'am' if value.hour < 12 else 'pm'}"


def zone_name(value: datetime, zone: ZoneInfo) -> str:
    """What the zone is called at that instant, like "EST"."""
    return value.astimezone(zone).strftime("%Z")


def moment_in_words(value: datetime, zone: ZoneInfo) -> str:
    """Like "Tuesday, November 24, 9:20 am EST"."""
    local = value.astimezone(zone)
    return f"{long_day_in_words(local)}, {time_in_words(value, zone)} {zone_name(value, zone)}"


def tel_link(phone: str) -> str:
    """The address that dials a number, from however it is written."""
    return "tel:" + "".join(c for c in phone if c.isdigit() or c == "+")


def phone_in_words(number: str) -> str:
    """A stored number as people write it, like (212) 555-0142; foreign ones with their country code."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    home = parsed.country_code == 1
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(parsed, style)


def ago_in_words(moment: datetime) -> str:
    """How long ago, in the one unit that matters: "5 minutes ago", "3 hours ago", "2 days ago"."""
    minutes = int((clock.now() - moment).total_seconds() // 60)
    for size, name in ((24 * 60, "day"), (60, "hour"), (1, "minute")):
        if count := minutes // size:
            return f"{count} {name}{'s' if count > 1 else ''} ago"
    return "just now"
