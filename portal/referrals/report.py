"""The ledger's table as it may be shown: a line for each group, small counts hidden in every column."""

from __future__ import annotations

from dataclasses import dataclass

from portal.referrals.funnel import STEPS, Share, share_of
from portal.referrals.ledger import Ledger
from portal.referrals.services import Reached
from portal.referrals.small_counts import hide_nested, hide_parts

PEOPLE = "people"
COLUMNS = {PEOPLE: "People", **{step.value: words for step, words in STEPS.items()}}


@dataclass(frozen=True)
class Line:
    """A group, and its counts by column; None where one is hidden."""

    group: str
    counts: dict[str, int | None]

    @property
    def booked(self) -> Share | None:
        """The share of the group's people who booked, where both are shown."""
        return share_of(self.counts[Reached.BOOKED], self.counts[PEOPLE])


def list_lines(ledger: Ledger) -> list[Line]:
    """The lines of the ledger: weeks in order, other groups by who came most."""
    shown = {column: _shown(ledger, column) for column in COLUMNS}
    lines = [Line(group, {column: shown[column][group] for column in COLUMNS}) for group in shown[PEOPLE]]
    if ledger.by == "week":
        return sorted(lines, key=lambda line: line.group)
    return sorted(lines, key=lambda line: (-(line.counts[PEOPLE] or 0), line.group))


def _shown(ledger: Ledger, column: str) -> dict[str, int | None]:
    """A column's counts by group. Links add up to their kind, and kinds to all: none of them gives another away."""
    counts = {
        group: tally.people if column == PEOPLE else tally.steps[Reached(column)]
        for group, tally in ledger.groups.items()
    }
    if not ledger.families:
        hidden = hide_parts(counts)
    else:
        families = {kind: {code: counts[code] for code in codes} for kind, codes in ledger.families.items()}
        lost, hidden = hide_nested(families)
        if ledger.by == "kind":
            return {kind: None if kind in lost else sum(parts.values()) for kind, parts in families.items()}
    return {group: None if group in hidden else count for group, count in counts.items()}
