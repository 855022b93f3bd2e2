"""What the ledger reads: live journeys and the daily counts of old ones, together. Exact: hiding comes after."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Integer, cast, func, select, type_coerce

from portal.core.db import db
from portal.referrals.funnel import Pattern, Tally, tally
from portal.referrals.models import DailyCount, Journey
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
A_MONDAY = date(2000, 1, 3)


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


def count_minutes_to_book(since: date, until: date) -> Counter[int]:
    """How many took how many minutes from their landing to their booking."""
    both = Reached.LANDED.bit | Reached.BOOKED.bit
    query = select(Journey.minutes_to_book, func.count()).group_by(Journey.minutes_to_book)
    rows = db.session.execute(query.where(Journey.day.between(since, until), Journey.reached.bitwise_and(both) == both))
    return Counter({minutes: count for minutes, count in rows if minutes is not None})


def _read_patterns(since: date, until: date, by: str) -> list[Pattern]:
    found: list[Pattern] = []
    for table, count in ((Journey, func.count()), (DailyCount, func.sum(DailyCount.count))):
        group: Any = _week(table.day) if by == "week" else getattr(table, COLUMNS[by])
        columns: list[Any] = [group.label("of"), table.reached, table.lane]
        query = select(*columns, count.label("journeys")).where(table.day.between(since, until)).group_by(*columns)
        if table is DailyCount:
            query = query.where(DailyCount.what == "journey")
        for row in db.session.execute(query):
            found.append(Pattern(_group(row.of), row.reached, row.lane or "", row.journeys))
    return found


def _week(day: Any) -> Any:
    """The number of a day's week, in whole numbers: nothing dearer is done a million times."""
    if db.session.get_bind().dialect.name == "postgresql":
        days: Any = type_coerce(day - A_MONDAY, Integer)
    else:
        days = cast(func.julianday(day) - func.julianday(A_MONDAY.isoformat()), Integer)
    return days // 7


def _group(value: str | int | None) -> str:
    """A group's name: a week is told by its Monday; what has no link, article or source has an empty name."""
    return (A_MONDAY + timedelta(weeks=value)).isoformat() if isinstance(value, int) else value or ""


def _mondays(since: date, until: date) -> list[date]:
    first = since - timedelta(days=since.weekday())
    return [first + timedelta(weeks=n) for n in range((until - first).days // 7 + 1)]


def _count_aside(since: date, until: date) -> Counter[str]:
    query = select(DailyCount.what, func.sum(DailyCount.count)).group_by(DailyCount.what)
    rows = db.session.execute(query.where(DailyCount.day.between(since, until), DailyCount.what != "journey"))
    return Counter({what: count for what, count in rows})  # noqa: C416 - a row is no tuple to the type checker
