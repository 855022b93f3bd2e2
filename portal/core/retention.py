"""How long what is kept: features register a rule for each kind of data, and one purge goes by all of them.

The privacy page, the documentation and the purge read the same rules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.core import clock
from portal.core.db import db, transactional

YEAR = timedelta(days=365.25)


@dataclass(frozen=True)
class Rule:
    """A kind of data, how long it is kept and since when, why so long, and how it goes.

    `find` selects the ids of what began to count before that moment; `remove` takes them away, or what of them is to
    go, so that they are not found again.
    """

    kind: str
    what: str
    since: str
    why: str
    keep: timedelta | Callable[[], timedelta]
    find: Callable[[datetime], Select[Any]]
    remove: Callable[[Sequence[Any]], None]
    at_once: int = 300  # rows of a step, so that nobody waits long for the purge
    oldest_first: bool = False  # the rows are a chain: none is left out because somebody else is at work on it

    @property
    def period(self) -> timedelta:
        """How long it is kept now."""
        return self.keep() if callable(self.keep) else self.keep

    @property
    def period_in_words(self) -> str:
        """Like "30 days" or "10 years"."""
        years, days = round(self.period / YEAR), self.period.days
        if years and abs(self.period - years * YEAR) < timedelta(days=1):
            return "1 year" if years == 1 else f"{years} years"
        return "1 day" if days == 1 else f"{days} days"


_rules: dict[str, Rule] = {}
_spared: dict[str, Callable[[], ColumnElement[bool]]] = {}


def register(*rules: Rule) -> None:
    """Let the purge go by these."""
    _rules.update({rule.kind: rule for rule in rules})


def spare(kind: str, condition: Callable[[], ColumnElement[bool]]) -> None:
    """Let a feature above keep rows of a kind that it needs longer: only those go for which the condition is true."""
    _spared[kind] = condition


def list_rules() -> list[Rule]:
    """All rules, the shortest period first."""
    return sorted(_rules.values(), key=lambda rule: (rule.period, rule.kind))


def count_due(rule: Rule) -> int:
    """How much would go now."""
    due = _find(rule).order_by(None).subquery()
    return db.session.scalar(select(func.count()).select_from(due)) or 0


def purge(rule: Rule) -> int:
    """Take away what is due by a rule; returns how much. However many do it at once, each row goes once."""
    removed: set[Any] = set()
    while not removed.issuperset(ids := _purge_some(rule)):  # what could not be removed is found again
        removed.update(ids)
    return len(removed)


@transactional
def _purge_some(rule: Rule) -> Sequence[Any]:
    # SQLite has no such lock and needs none: it lets one writer in at a time.
    due = _find(rule).limit(rule.at_once).with_for_update(skip_locked=not rule.oldest_first)
    ids = db.session.scalars(due).all()
    if ids:
        rule.remove(ids)
    return ids


def delete_rows(
    key: InstrumentedAttribute[Any], first: Callable[[Sequence[Any]], None] | None = None
) -> Callable[[Sequence[Any]], None]:
    """What a rule removes with, where rows go whole: those whose key is one of these, once `first` is done for them."""

    def remove(keys: Sequence[Any]) -> None:
        if first is not None:
            first(keys)
        db.session.execute(delete(key.class_).where(key.in_(keys)))

    return remove


def _find(rule: Rule) -> Select[Any]:
    found = rule.find(clock.now() - rule.period)
    return found.where(_spared[rule.kind]()) if rule.kind in _spared else found
