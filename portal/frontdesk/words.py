"""Recurring times in the words of the desk."""

from __future__ import annotations

import re
from datetime import date, time, timedelta

from portal.core.pages import clock_in_words, day_in_words
from portal.scheduling.models import Closure

ONE_DAY = timedelta(days=1)
DAYS = (("MO", "Mon"), ("TU", "Tue"), ("WE", "Wed"), ("TH", "Thu"), ("FR", "Fri"), ("SA", "Sat"), ("SU", "Sun"))
RHYTHMS = (
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "every second week, from the week of the first day"),
    *((f"FREQ=MONTHLY;{n}", f"{words} of the month") for n, words in ((1, "first"), (2, "second"), (3, "third"))),
    ("FREQ=MONTHLY;-1", "last of the month"),
)


def rule_in_words(rule: str) -> str:
    """A rule of availability as the desk says it, like "every week: Mon, Thu"; others as they are written."""
    frequency, _, days = rule.partition(";BYDAY=")
    names = dict(DAYS)
    if found := re.fullmatch(r"(-?\d)([A-Z]{2})", days):
        which = dict(RHYTHMS).get(f"{frequency};{found[1]}")
        return f"{which}: {names.get(found[2], found[2])}" if which else rule
    rhythm = dict(RHYTHMS).get(frequency)
    return f"{rhythm}: {', '.join(names.get(day, day) for day in days.split(','))}" if rhythm else rule


def closure_in_words(closure: Closure) -> str:
    """Like "Thu, Nov 26 to Fri, Nov 27" for whole days, and with its hours for others."""
    first, last = closure.starts.date(), closure.ends.date()
    hours = f"{clock_in_words(closure.starts.time())} to {clock_in_words(closure.ends.time())}"
    if closure.rule:
        until = f" until {day_in_words(closure.until)}" if closure.until else ""
        return f"{hours}, again each working day from {day_in_words(first)}{until}"
    if closure.starts.time() == time.min and closure.ends.time() in {time.min, time.max}:
        last -= (closure.ends.time() == time.min) * ONE_DAY
        return day_in_words(first) if first == last else f"{day_in_words(first)} to {day_in_words(last)}"
    if first == last:
        return f"{day_in_words(first)}, {hours}"
    begins, ends = (f"{day_in_words(m)}, {clock_in_words(m.time())}" for m in (closure.starts, closure.ends))
    return f"{begins} to {ends}"


def week_in_words(monday: str) -> str:
    """Like "Nov 16 to Nov 22, 2026"."""
    first = date.fromisoformat(monday)
    last = first + timedelta(days=6)
    return f"{first:%b} {first.day} to {last:%b} {last.day}, {last.year}"


def duration_in_words(duration: timedelta) -> str:
    """In the one unit that matters: "40 minutes", "5 hours", "3 days"."""
    minutes = round(duration.total_seconds() / 60)
    units = ((24 * 60, "day"), (60, "hour"), (1, "minute"))
    size, name = next((size, name) for size, name in units if minutes >= 2 * size or size == 1)
    count = round(minutes / size)
    return f"{count} {name}{'' if count == 1 else 's'}"
