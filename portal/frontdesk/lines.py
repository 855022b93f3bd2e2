"""The lines of a board's columns: lines that are alike are rendered once and then filled in for each visit or time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Set
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from flask import current_app
from markupsafe import Markup, escape

from portal.frontdesk.board import Band, Entry, Item
from portal.frontdesk.privacy import initials
from portal.scheduling.models import SlotState

CAN_BE_TICKED = frozenset({"free", "full", "withdrawn"})


@dataclass(frozen=True)
class Lines:
    """How lines are on this page: where they lead, and what can be done with them."""

    visit_at: str  # the address of a visit, but for its id
    book_at: str | None  # likewise of a time to book; None for who does not book
    moving_id: UUID | None
    times: bool  # to be ticked
    masked: bool
    ticked: Set[int] = frozenset()  # by the number of the time

    def write(self, items: Iterable[Item]) -> Markup:
        """These lines as the page has them."""
        return Markup("\n".join([self._line(item) for item in items]))  # noqa: S704 - escaped one by one

    def _line(self, item: Item) -> str:
        if isinstance(item, Entry):
            return self._visit(item) if item.visit is not None else self._time(item)
        assert isinstance(item, Band)
        return _pattern("closed", item.state).format(classes=item.classes, reason=escape(item.reason))

    def _visit(self, entry: Entry) -> str:
        visit = entry.visit
        return _pattern("visit", entry.state, entry.marks, entry.waiting, visit.id == self.moving_id).format(
            classes=entry.classes,
            address=self.visit_at,
            id=str(visit.id),
            version=visit.version,
            begins=entry.begins,
            name=escape(initials(visit.name) if self.masked else visit.name),
            kind=_escaped(entry.kind.name),
        )

    def _time(self, entry: Entry) -> str:
        changing = entry.moving_here
        return _pattern(self._use_of(entry), entry.state).format(
            classes=entry.classes,
            address=self.book_at,
            id=entry.slot_id,
            begins=entry.begins,
            until=f"<u>until {entry.until}</u> " if entry.until else "",
            ticked=" checked" if entry.slot_id in self.ticked else "",
            kind=_escaped(entry.kind.name),
            shown=f", {_escaped(changing.shown)}" if changing and changing.shown else "",
            unseen=_escaped(changing.unseen) if changing else "",
        )

    def _use_of(self, entry: Entry) -> str:
        if self.times and entry.state in CAN_BE_TICKED:
            return "to_tick"
        if entry.moving_here:
            return "to_move_to"
        bookable = entry.state == SlotState.FREE and self.book_at and self.moving_id is None
        return "to_book" if bookable else "to_see"


@lru_cache(maxsize=100)
def _escaped(words: str) -> str:
    """What a set-up has few of, and a page hundreds."""
    return str(escape(words))


@lru_cache(maxsize=1000)
def _pattern(use: str, *alike: Hashable) -> str:
    """A line of that use, to be filled in by `str.format` with what is escaped already."""
    macros = current_app.jinja_env.get_template("frontdesk/_lines.html").module
    return str(getattr(macros, use)(*alike))
