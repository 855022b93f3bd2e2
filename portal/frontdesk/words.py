"""The words of the desk: for states of visits and times, for marks beside them, for recurring times."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from portal.core import clock
from portal.core.pages import clock_in_words, day_in_words, time_in_words
from portal.scheduling.models import Closure
from portal.scheduling.remake import Changes

ONE_DAY = timedelta(days=1)
WORKING_DAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"
DAYS = (("MO", "Mon"), ("TU", "Tue"), ("WE", "Wed"), ("TH", "Thu"), ("FR", "Fri"), ("SA", "Sat"), ("SU", "Sun"))
MONTHLY = "FREQ=MONTHLY;"
RHYTHMS = (
    ("FREQ=WEEKLY", "every week"),
    ("FREQ=WEEKLY;INTERVAL=2", "every second week, from the week of the first day"),
    *(
        (f"{MONTHLY}{n}", f"{words} of the month")
        for n, words in ((1, "first"), (2, "second"), (3, "third"), (4, "fourth"))
    ),
    (f"{MONTHLY}-1", "last of the month"),
)
ANOTHER = ("another", "another rhythm, written below")


def read_rule(rule: str) -> tuple[str, list[str]] | None:
    """A rule's rhythm and weekdays, as the desk's form has them; None for a rule that it has no words for."""
    frequency, _, days = rule.partition(";BYDAY=")
    parts = [re.fullmatch(r"(-?\d)?([A-Z]{2})", day) for day in days.split(",")]
    found = [(part[1], part[2]) for part in parts if part and part[2] in dict(DAYS)]
    if len(found) < len(parts) or len({which for which, _ in found}) != 1:
        return None
    rhythm = f"{frequency};{found[0][0]}" if found[0][0] else frequency
    return (rhythm, [day for _, day in found]) if rhythm in dict(RHYTHMS) else None


def write_rule(rhythm: str, weekdays: Iterable[str]) -> str:
    """The rule of a rhythm and weekdays, as the form has them."""
    frequency, _, which = rhythm.partition(";") if rhythm.startswith(MONTHLY) else (rhythm, "", "")
    return f"{frequency};BYDAY={','.join(which + day for day in weekdays)}"


# What a visit or a time without one is; shapes and colours are in static/css/board.css.
STATES = {
    "booked": "booked",
    "arrived": "arrived",
    "checked-in": "in the room",
    "fulfilled": "done",
    "noshow": "did not come",
    "cancelled": "cancelled",
    "entered-in-error": "taken back",
    "free": "free",
    "full": "day is full",
    "held": "held",
    "unused": "not taken",
    "withdrawn": "withdrawn",
}
# What else is said of a visit; where there is no room, the style sheet shows a letter.
MARKS = {
    "prompt": "within two weeks",
    "consult": "consult",
    "self_care": "self-care",
    "same_day": "same day",
    "emergency": "emergency",
    "new": "new patient",
    "moved": "moved",
    "mail": "mail problem",
    "phone": "by phone",
    "video": "by video",
}
NO_ADDRESS = "There is no e-mail address: tell the patient by phone."
STEPS = {"arrived": "Arrived", "checked-in": "In the room", "fulfilled": "Done", "noshow": "Did not come"}
CHANGES = {
    **STEPS,
    "booked": "Booked",
    "moved": "Moved",
    "cancelled": "Cancelled",
    "restored": "Taken up again",
    "switched": "Changed to a call",
    "undone": "Undone: as it was before",
}


@lru_cache(maxsize=1440)
def wall_in_words(value: time) -> str:
    """A time of the day where the hour says which half of it, like "9:20"."""
    return f"{value.hour % 12 or 12}:{value.minute:02}"


def end_in_words(moment: datetime, zone: ZoneInfo) -> str:
    """Until when a time is held, like "10:40 am"; with the day where that is not today."""
    day = moment.astimezone(zone).date()
    words = time_in_words(moment, zone)
    return words if day == clock.today(zone) else f"{day_in_words(day)}, {words}"


def rule_in_words(rule: str) -> str:
    """A rule of availability as the desk says it, like "every week: Mon, Thu"; others as they are written."""
    if (found := read_rule(rule)) is None:
        return rule
    rhythm, days = found
    return f"{dict(RHYTHMS)[rhythm]}: {', '.join(dict(DAYS)[day] for day in days)}"


def closure_in_words(closure: Closure) -> str:
    """Like "Thu, Nov 26 to Fri, Nov 27" for whole days, with its hours for others, and its year unless it is this."""
    first, last = closure.starts.date(), closure.ends.date()
    whole = closure.starts.time() == time.min and closure.ends.time() in {time.min, time.max}
    hours = "all day" if whole else f"{clock_in_words(closure.starts.time())} to {clock_in_words(closure.ends.time())}"
    if closure.rule:
        until = f" until {_day(closure.until)}" if closure.until else ""
        again = "each working day" if closure.rule == WORKING_DAYS else rule_in_words(closure.rule)
        return f"{hours}, again {again} from {_day(first)}{until}"
    if whole:
        last -= (closure.ends.time() == time.min) * ONE_DAY
        return _day(first) if first == last else f"{_day(first)} to {_day(last)}"
    if first == last:
        return f"{_day(first)}, {hours}"
    begins, ends = (f"{_day(m)}, {clock_in_words(m.time())}" for m in (closure.starts, closure.ends))
    return f"{begins} to {ends}"


def _day(value: date) -> str:
    return day_in_words(value) if value.year == clock.now().year else f"{day_in_words(value)}, {value.year}"


def times_in_words(count: int) -> str:
    """Like "4 times", "1 time", "No time"."""
    return f"{count or 'No'} {'time' if count < 2 else 'times'}"


def extra_in_words(expected: Changes) -> str:
    """What opening times would do, like "2 times will be opened; 1 not: Labor Day"."""
    left_out = expected.skipped + expected.refused
    left_out["a visit or another time stands there"] += expected.clashes
    not_opened = [f"{count} not: {reason}" for reason, count in left_out.items() if count]
    return "; ".join([f"{times_in_words(expected.made)} will be opened", *not_opened])


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
