"""What the ledger reads: live journeys and the daily counts of old ones, together. Exact: hiding comes after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.core.db import db
from portal.referrals.funnel import Pattern, Tally, tally
from portal.referrals.models import DailyCount, Journey, Milestone
from portal.referrals.queries import list_automatic_links, list_links
from portal.referrals.services import Reached

GROUPINGS = {
    "link": "link",
    "kind": "kind of link",
    "last": "last link before booking",
    "article": "article",
    "source": "booking site",
    "week": "week",
}
COLUMNS = {"link": "link_code", "kind": "link_code", "last": "last_link_code", "article": "article", "source": "source"}
NO_KIND = ""


@dataclass
class Ledger:
    """How many came how far in a range of days, by group; `families` are the groups of each kind of link."""

    since: date
    until: date
    by: str
    groups: dict[str, Tally]
    families: dict[str, list[str]] = field(default_factory=dict)
    aside: Counter[str] = field(default_factory=Counter)  # landings without a journey, by what they were

    @property
    def total(self) -> Tally:
        """All groups together."""
        total = Tally()
        for group in self.groups.values():
            total.people += group.people
            total.unfollowed_up += group.unfollowed_up
            total.steps.update(group.steps)
            total.lanes.update(group.lanes)
        return total


def read_ledger(since: date, until: date, by: str = "link") -> Ledger:
    """The ledger of these days, the last included. A journey belongs to the day on which it began."""
    ledger = Ledger(since, until, by, tally(_read_patterns(since, until, by)), aside=_count_aside(since, until))
    if by in {"link", "kind"}:
        kinds = {link.code: link.kind for link in (*list_automatic_links(), *list_links())}
        for code in ledger.groups:
            ledger.families.setdefault(kinds.get(code, NO_KIND), []).append(code)
    if by == "week":
        for monday in _mondays(since, until):
            ledger.groups.setdefault(monday.isoformat(), Tally())
    return ledger


def list_times_to_book(since: date, until: date) -> list[timedelta]:
    """How long people took from their landing to their booking."""
    booked = select(Journey.started_at, Milestone.at).join(Milestone, Milestone.journey_id == Journey.id)
    both = Reached.LANDED.bit | Reached.BOOKED.bit
    rows = booked.where(
        Milestone.kind == Reached.BOOKED,
        Journey.day.between(since, until),
        Journey.reached.bitwise_and(both) == both,
    )
    return [at - started_at for started_at, at in db.session.execute(rows)]


def _read_patterns(since: date, until: date, by: str) -> list[Pattern]:
    name = COLUMNS.get(by, "day")
    found = []
    for table, count in ((Journey, func.count()), (DailyCount, func.sum(DailyCount.count))):
        columns: list[Any] = [getattr(table, name), table.reached, table.lane]
        query = select(*columns, count).where(table.day.between(since, until)).group_by(*columns)
        if table is DailyCount:
            query = query.where(DailyCount.what == "journey")
        rows = db.session.execute(query).all()
        found += [Pattern(_group(row[0]), row.reached, row.lane or "", row[3]) for row in rows]
    return found


def _group(key: str | date | None) -> str:
    """A week is told by its Monday; what has no link, article or source has an empty name."""
    return (key - timedelta(days=key.weekday())).isoformat() if isinstance(key, date) else key or ""


def _mondays(since: date, until: date) -> list[date]:
    first = since - timedelta(days=since.weekday())
    return [first + timedelta(weeks=n) for n in range((until - first).days // 7 + 1)]


def _count_aside(since: date, until: date) -> Counter[str]:
    query = select(DailyCount.what, func.sum(DailyCount.count)).group_by(DailyCount.what)
    rows = db.session.execute(query.where(DailyCount.day.between(since, until), DailyCount.what != "journey"))
    return Counter(dict(rows.tuples().all()))
