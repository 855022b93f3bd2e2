"""The ledger's arithmetic: how many came how far, and how sure a share of so few people is. Nothing is read here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from math import sqrt
from statistics import quantiles
from typing import NamedTuple

from portal.referrals.services import COUNTED_ELSEWHERE, Reached
from portal.referrals.small_counts import SMALLEST, hide_parts, show

CONFIDENCE = 1.96  # standard deviations: 95 %
LANES = {"emergency": "emergency", "same_day": "same day", "consult": "consult", "self_care": "self-care"}
STEPS = {
    Reached.LANDED: "Came by a link",
    Reached.READ: "Opened a page",
    Reached.ASSESSMENT_STARTED: "Began the check",
    Reached.ASSESSMENT_FINISHED: "Finished the check",
    Reached.SLOTS_SEEN: "Saw free times",
    Reached.SLOT_HELD: "Held a time",
    Reached.BOOKED: "Booked",
    Reached.ATTENDED: "Came to the visit",
}


class Pattern(NamedTuple):
    """How many journeys of a group reached the same points, as bits, and finished in the same lane."""

    group: str
    reached: int
    lane: str
    journeys: int


class Share(NamedTuple):
    """A share and the range that the true one lies in with 95 % confidence."""

    value: float
    low: float
    high: float


@dataclass
class Tally:
    """How many people came how far. A landing that nothing followed is no person: it may be a scanner."""

    people: int = 0
    unfollowed_up: int = 0
    steps: Counter[Reached] = field(default_factory=Counter)
    lanes: Counter[str] = field(default_factory=Counter)

    def add(self, pattern: Pattern) -> None:
        if pattern.reached & COUNTED_ELSEWHERE:
            return
        if not pattern.reached & ~Reached.LANDED.bit:
            self.unfollowed_up += pattern.journeys if pattern.reached else 0
            return
        self.people += pattern.journeys
        self.steps.update({step: pattern.journeys for step in Reached if pattern.reached & step.bit})
        if pattern.reached & Reached.ASSESSMENT_FINISHED.bit:
            self.lanes[pattern.lane] += pattern.journeys


@dataclass(frozen=True)
class Row:
    """One line of a funnel as it may be shown: None is a count under 5."""

    words: str
    count: int | None
    share: Share | None
    is_lane: bool = False


def tally(patterns: Iterable[Pattern]) -> dict[str, Tally]:
    """What the patterns of each group come to."""
    tallies: dict[str, Tally] = {}
    for pattern in patterns:
        tallies.setdefault(pattern.group, Tally()).add(pattern)
    return tallies


def wilson(part: int, whole: int) -> Share:
    """The share with its Wilson score interval, which holds for few people too."""
    z, share = CONFIDENCE, part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    reach = z / (1 + z * z / whole) * sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return Share(share, max(0.0, middle - reach), min(1.0, middle + reach))


def share_of(part: int | None, whole: int | None) -> Share | None:
    """The share of two counts that are shown; None when one of them is not."""
    return wilson(part, whole) if part is not None and whole else None


def list_rows(total: Tally) -> list[Row]:
    """The funnel of all people, the finished assessments by lane beneath their sum."""
    people = show(total.people)
    rows = [Row("People", people, None)]
    for step, words in STEPS.items():
        count = show(total.steps[step])
        rows.append(Row(words, count, share_of(count, people)))
        if step is Reached.ASSESSMENT_FINISHED:
            hidden = hide_parts({lane: total.lanes[lane] for lane in LANES})
            for lane, name in LANES.items():
                part = None if lane in hidden else total.lanes[lane]
                rows.append(Row(f"… {name}", part, share_of(part, people), is_lane=True))
    return rows


def quartiles(minutes: Counter[int]) -> tuple[timedelta, timedelta, timedelta] | None:
    """The first quartile, the median and the third; None of so few that they would tell of single people."""
    if minutes.total() < SMALLEST:
        return None
    first, middle, third = quantiles(sorted(minutes.elements()), n=4, method="inclusive")
    return timedelta(minutes=first), timedelta(minutes=middle), timedelta(minutes=third)
