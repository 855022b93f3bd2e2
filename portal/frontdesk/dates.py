"""Days as the desk types them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from portal.core.dates import MONTHS

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR = {"today": 0, "tomorrow": 1, "yesterday": -1}
UNITS = {"": "days", "d": "days", "w": "weeks", "m": "months", "y": "years"}
SHORTEST = 3  # letters of a name


def read_day(text: str, today: date) -> date | None:
    """The day that is meant: "tue", "next tue", "+2w", "3/14", "mar 14", "2027-03-14"; None for other words.

    A weekday is the next one to come, a date without a year the nearest one that is not more than a month past.
    """
    words = " ".join(text.casefold().replace(",", " ").split())
    for read in (_read_near, _read_distance, _read_weekday, _read_date):
        if (day := read(words, today)) is not None:
            return day
    return None


def read_month(text: str, today: date) -> date | None:
    """The first day of a month that is named, like "march" or "mar 2027"; None for other words."""
    found = re.fullmatch(r"([a-z]{3,})(?: (\d{4}))?", text.casefold().strip())
    number = _place_in(MONTHS, found[1]) if found else None
    if found is None or number is None:
        return None
    year = int(found[2]) if found[2] else today.year + (number + 1 < today.month)
    return date(year, number + 1, 1) if year > 0 else None


def _read_near(words: str, today: date) -> date | None:
    for name, days in NEAR.items():
        if len(words) >= SHORTEST and name.startswith(words):
            return today + timedelta(days=days)
    return None


def _read_distance(words: str, today: date) -> date | None:
    found = re.fullmatch(r"([+-])(\d{1,3})([dwmy]?)", words)
    if found is None:
        return None
    distance = relativedelta(**{UNITS[found[3]]: int(found[1] + found[2])})  # type: ignore[arg-type]
    return today + distance


def _read_weekday(words: str, today: date) -> date | None:
    later = words.removeprefix("next ")
    weekday = _place_in(WEEKDAYS, later)
    if weekday is None:
        return None
    ahead = (weekday - today.weekday()) % 7 or 7
    return today + timedelta(days=ahead + 7 * (later != words))


def _read_date(words: str, today: date) -> date | None:
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", words):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})(?:/(\d{2}|\d{4}))?", words):
        return _near_date(found[3], int(found[1]), int(found[2]), today)
    if found := re.fullmatch(r"([a-z]+) (\d{1,2})(?: (\d{4}))?", words):
        month = _place_in(MONTHS, found[1])
        return _near_date(found[3], month + 1, int(found[2]), today) if month is not None else None
    return None


def _near_date(year: str | None, month: int, day: int, today: date) -> date | None:
    if year is not None:
        return _date(int(year) + (2000 if len(year) == 2 else 0), month, day)
    this_year = _date(today.year, month, day)
    long_past = this_year is not None and this_year < today - timedelta(days=31)
    return _date(today.year + 1, month, day) if this_year is None or long_past else this_year


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _place_in(names: tuple[str, ...], beginning: str) -> int | None:
    if len(beginning) < SHORTEST:
        return None
    return next((place for place, name in enumerate(names) if name.startswith(beginning)), None)
