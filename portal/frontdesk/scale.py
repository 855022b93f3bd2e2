"""A day to scale: five minutes are a row of the grid. Pure, with the style sheet that gives the rows their places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache

STEP = 5  # minutes
AN_HOUR, A_DAY = 60 // STEP, 24 * 60 // STEP  # rows
USUAL = (8, 17)  # the hours of a day with nothing in it
MOST_BESIDE = 4  # things at the same time, in one column


@dataclass(frozen=True)
class Scale:
    """The hours that a board shows, and how fine its rows must be for the shortest thing to be readable."""

    first: int
    last: int
    fine: str

    @property
    def hours(self) -> range:
        return range(self.first, self.last)

    def row(self, wall: time) -> int:
        """The row in which that time lies, from 1; before or after the hours shown it may lie outside."""
        return (wall.hour - self.first) * AN_HOUR + wall.minute // STEP + 1

    def place(self, begin: int, end: int) -> tuple[int, int] | None:
        """The row and length of what lasts from one row of the day to another, as far as the board shows it."""
        begin = max(begin - self.first * AN_HOUR, 0)
        end = min(end - self.first * AN_HOUR, (self.last - self.first) * AN_HOUR)
        return (begin + 1, end - begin) if begin < end else None


@lru_cache(maxsize=2000)  # a day has few times, and many visits at each
def rows_between(starts: datetime | time, minutes: float) -> tuple[int, int]:
    """The rows of the day, from and up to, of what begins at a wall time and lasts so long."""
    begin = (starts.hour * 60 + starts.minute) // STEP
    return begin, min(max(math.ceil(minutes / STEP) + begin, begin + 1), A_DAY)


def fit_scale(stretches: Iterable[tuple[int, int]]) -> Scale:
    """The scale on which all of these, as rows of the day, can be seen."""
    known = list(stretches)
    first = min((begin for begin, _ in known), default=USUAL[0] * AN_HOUR) // AN_HOUR
    last = math.ceil(max((end for _, end in known), default=USUAL[1] * AN_HOUR) / AN_HOUR)
    shortest = min((end - begin for begin, end in known), default=4)
    return Scale(first, last, "fine" if shortest >= 4 else "finer" if shortest == 3 else "finest")


def arrange(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Where things of one column stand that may be at the same time: which place, of how many beside each other.

    They are given by when they begin. What overlaps, also by way of others, shares the width of the column.
    """
    places: list[int] = []
    beside: list[int] = []  # for each thing, the number of its cluster
    ends: list[int] = []  # of the places of this cluster
    widths: list[int] = []
    for begin, end in stretches:
        if not widths or begin >= max(ends):
            ends = []
            widths.append(0)
        place = next((n for n, taken_until in enumerate(ends) if taken_until <= begin), len(ends))
        ends[place : place + 1] = [end]
        places.append(min(place, MOST_BESIDE - 1))
        beside.append(len(widths) - 1)
        widths[-1] = min(max(widths[-1], place + 1), MOST_BESIDE)
    return [(place, widths[cluster]) for place, cluster in zip(places, beside, strict=True)]


def write_style_sheet() -> str:
    """A class for each row, length, height and place, as no page may say such things with the element itself."""
    rules = [f".r{n}{{grid-row-start:{n}}}.n{n}{{grid-row-end:span {n}}}" for n in range(1, A_DAY + 1)]
    rules += [f".h{n}{{--hours:{n}}}" for n in range(1, 25)]
    for width in range(2, MOST_BESIDE + 1):
        edges = [1, 8, 13] if width == 2 else range(1, 14, 12 // width)  # of two, the first has more room
        rules += [f".w{width}{{--beside:{width}}}"]
        rules += [f".track .p{n}-{width}{{grid-column:{edges[n]}/{edges[n + 1]}}}" for n in range(width)]
    return "\n".join(rules)
