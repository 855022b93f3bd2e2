"""Where the marks of the ledger's charts stand. The templates draw them; the tables beneath say the same in numbers."""

from __future__ import annotations

from dataclasses import dataclass

from portal.referrals.funnel import Row, Share

WIDTH, MARGIN = 400, 4
LINE, TALL, SHORT = 40, 16, 9  # height of a line, of its bar, of the bar of a part
MOST_GROUPS = 20


@dataclass(frozen=True)
class Bar:
    """A bar with its words above it. Without a length it stands for a count that is hidden."""

    words: str
    value: str
    y: int
    length: float | None
    height: int


@dataclass(frozen=True)
class Mark:
    """A share as a point on the range that it may lie in."""

    words: str
    value: str
    y: int
    at: float
    low: float
    high: float


@dataclass(frozen=True)
class Chart:
    """What is to be drawn, and how high the picture is; shares reach as far as `top`."""

    marks: list[Bar] | list[Mark]
    height: int
    top: float = 1.0


def draw_funnel(rows: list[Row]) -> Chart:
    """A bar for each step, as long as its count."""
    most, bars, y = max((row.count or 0 for row in rows), default=0), list[Bar](), 0
    for row in rows:
        length = row.count / most * (WIDTH - 2 * MARGIN) if row.count is not None and most else None
        bars.append(Bar(row.words, count_in_words(row.count), y, length, SHORT if row.is_lane else TALL))
        y += LINE
    return Chart(bars, y)


def draw_shares(named: list[tuple[str, Share | None]]) -> Chart:
    """A point and its range for each group whose share is known."""
    known = [(words, share) for words, share in named if share is not None][:MOST_GROUPS]
    top = min(1.0, max((share.high for _, share in known), default=1.0) * 1.05)
    scale = (WIDTH - 2 * MARGIN) / top
    marks = [
        Mark(words, share_in_words(share), number * LINE, *(MARGIN + part * scale for part in share))
        for number, (words, share) in enumerate(known)
    ]
    return Chart(marks, len(known) * LINE, top)


def count_in_words(count: int | None) -> str:
    """The count; a hidden one is told as such."""
    return "under 5" if count is None else f"{count:,}"


def part_in_words(count: int | None) -> str:
    """The count of a part of a whole; one that is hidden is under 5, or would give such a one away."""
    return "hidden" if count is None else f"{count:,}"


def share_in_words(share: Share | None) -> str:
    """A share with the range that it may lie in, like "23 % (15 to 34 %)"."""
    return "" if share is None else f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%})".replace("%", " %")
