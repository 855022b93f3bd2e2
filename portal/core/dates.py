"""Dates as people type them."""

from __future__ import annotations

import re
from datetime import date

YEARS = range(2000, 2101)  # that a clinic plans for, or looks back on
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
MONTHS_IN_SHORT = [name[:3] for name in MONTHS]
NAMED_MONTH = re.compile(rf"({'|'.join(MONTHS_IN_SHORT)})[a-z]*\.?\s*", re.IGNORECASE)
DATE_PATTERNS = (
    re.compile(r"(?P<year>\d{4})\D+(?P<month>\d{1,2})\D+(?P<day>\d{1,2})"),
    re.compile(r"(?P<month>\d{1,2})\D+(?P<day>\d{1,2})\D+(?P<year>\d{4})"),
    re.compile(r"(?P<month>\d{2})(?P<day>\d{2})(?P<year>\d{4})"),
)


def parse_date(text: str) -> date | None:
    """A date as people write it in the US (5/17/1980, 05171980, May 17, 1980), or as browsers do (1980-05-17)."""
    in_digits = NAMED_MONTH.sub(lambda name: f"{MONTHS_IN_SHORT.index(name[1].lower()) + 1}/", text.strip())
    for pattern in DATE_PATTERNS:
        if found := pattern.fullmatch(in_digits):
            try:
                return date(**{name: int(value) for name, value in found.groupdict().items()})
            except ValueError:
                return None
    return None


def write_date(day: date) -> str:
    """A date as it is typed, like 5/17/1980."""
    return f"{day.month}/{day.day}/{day.year}"
