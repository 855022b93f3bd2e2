"""The day board: who comes to whom and when, to scale. Its number of queries does not grow with the visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from typing import ClassVar, NamedTuple
from uuid import UUID

from portal.booking.diary import VisitRow, find_troubled, list_marked_rows
from portal.booking.models import TAKE_THE_SLOT, Appointment, Status
from portal.core import clock
from portal.frontdesk.moving import Difference, Way, compare, way_of
from portal.frontdesk.scale import Scale, arrange, fit_scale, rows_between
from portal.frontdesk.words import STATES, end_in_words, wall_in_words
from portal.scheduling import diary
from portal.scheduling.diary import ClosureRow, SlotRow
from portal.scheduling.free_times import find_full_days
from portal.scheduling.models import Location, Mode, Provider, SlotState
from portal.scheduling.openings import concerns
from portal.scheduling.set_up import SetUp

UNUSED, WITHDRAWN = "unused", "withdrawn"  # a free time that has passed; one that the set-up offers no more
FULL = "full"  # free, on a day on which the clinician has all the visits there may be
ColumnKey = tuple[int, int | str]
FullDays = Container[tuple[int, date]]  # by clinician


class Kind(NamedTuple):
    """What a board says of a type of visit; a row of the set-up takes ten times as long to say it."""

    name: str
    kind: str
    mode: str


@dataclass(kw_only=True, slots=True)
class Item:
    """Something of a column: from and up to which row of the day, and where that is on the board."""

    is_entry: ClassVar = False

    begin: int
    end: int
    state: str
    row: int = 0
    length: int = 0
    place: str = ""  # a class, where it shares the column's width with others

    @property
    def classes(self) -> str:
        """Where it is and what it is, for the style sheet."""
        return f"r{self.row} n{self.length}{self.place} {self.state}"


@dataclass(kw_only=True, slots=True)
class Entry(Item):
    """A visit, or a time without one."""

    is_entry: ClassVar = True

    begins: str
    slot_id: int
    kind: Kind
    visit: VisitRow = None
    marks: tuple[str, ...] = ()
    waiting: int | None = None  # minutes since the patient arrived
    until: str = ""  # when a hold runs out
    moving_here: Difference | None = None  # what changes if the visit that is being moved comes here


@dataclass(kw_only=True, slots=True)
class Band(Item):
    """A closed time, and why."""

    reason: str
    state: str = "closed"


@dataclass
class Column:
    """A clinician's day, at the places with the same clocks or at one place."""

    provider: Provider
    locations: dict[int, Location] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    bands: list[Band] = field(default_factory=list)
    stretches: list[tuple[int, int]] = field(default_factory=list)  # when the clinician would see patients
    now: int | None = None  # the row of now
    beside: int = 1  # so many things at the same time

    @property
    def location(self) -> Location:
        return next(iter(self.locations.values()))

    @property
    def key(self) -> str:
        return f"column-{self.provider.id}-{self.location.id}"

    @property
    def visits(self) -> int:
        """How many visits stand."""
        return sum(entry.visit is not None and entry.state in TAKE_THE_SLOT for entry in self.entries)

    @property
    def free(self) -> int:
        return sum(entry.state == SlotState.FREE for entry in self.entries)

    @property
    def items(self) -> list[Item]:
        """All there is, in the order of the day."""
        return sorted([*self.bands, *self.entries], key=attrgetter("row", "is_entry", "place"))

    @property
    def before_now(self) -> list[Item]:
        """What has begun; all of it on another day."""
        return [item for item in self.items if self.now is None or item.row <= self.now]

    @property
    def after_now(self) -> list[Item]:
        """What has not begun."""
        return [] if self.now is None else [item for item in self.items if item.row > self.now]


@dataclass
class Board:
    """A day: its columns by place, or all as one group without a name."""

    scale: Scale
    groups: list[tuple[Location | None, list[Column]]]
    counts: list[tuple[str, int]]
    zones: set[str]

    @property
    def can_move_here(self) -> bool:
        """Whether the visit that is being moved can move to any time of this day."""
        return any(entry.moving_here for column in self.columns for entry in column.entries)

    @property
    def columns(self) -> list[Column]:
        return [column for _, columns in self.groups for column in columns]


def get_board(
    day: date,
    provider_id: int | None = None,
    by_place: bool = False,
    moving: Appointment | None = None,
    withdrawn: bool = False,
) -> Board:
    """The day of all clinicians, or of one; with `moving`, the times that this visit can move to are marked.

    With `withdrawn`, times that are offered no more are shown also where a closure or another time explains it.
    """
    visits, slots = list_marked_rows(day, day, provider_id), diary.list_slot_rows(day, day, provider_id)
    working = diary.list_working(day, provider_id)
    columns = _Columns(by_place, diary.get_set_up_of(visits, slots, working))
    _fill_in_visits(columns, visits, {slot.id: slot for slot in slots}, find_troubled(day, day))
    taken = {visit.slot_id for visit in visits if visit.status in TAKE_THE_SLOT}
    _fill_in_times(columns, [slot for slot in slots if slot.id not in taken], moving)
    for row in working:
        stretch = rows_between(row.opens, _minutes(row.opens, row.closes))
        columns.get(row.provider_id, row.location_id).stretches.append(stretch)
    closures = [(closure, diary.list_closed(closure, day)) for closure in diary.list_closures_in(day, day)]
    found = columns.in_order()
    for column in found:
        _close(column, closures)
        if not withdrawn:
            _leave_out_explained(column)
    scale = fit_scale(
        stretch
        for column in found
        for stretch in [*((entry.begin, entry.end) for entry in column.entries), *column.stretches]
    )
    for column in found:
        _place(column, scale, day)
    counts = Counter(entry.state for column in found for entry in column.entries)
    return Board(
        scale,
        [(place if by_place else None, list(group)) for place, group in groupby(found, columns.group_of)],
        [(state, counts[state]) for state in STATES if counts[state]],
        {column.location.zone_key for column in found},
    )


class _Columns:
    """The columns as they come up: by clinician and the clocks of the place, or by place and clinician."""

    def __init__(self, by_place: bool, known: SetUp) -> None:
        self.by_place, self.known = by_place, known
        self.providers, self.locations = known.all_providers, known.all_locations
        self.kinds = {type_id: Kind(kind.name, kind.kind, kind.mode) for type_id, kind in known.all_types.items()}
        self._columns: dict[ColumnKey, Column] = {}
        self._at: dict[tuple[int, int], Column] = {}  # the same, by clinician and place

    def get(self, provider_id: int, location_id: int) -> Column:
        column = self._at.get((provider_id, location_id))
        return column or self._at.setdefault((provider_id, location_id), self._find(provider_id, location_id))

    def _find(self, provider_id: int, location_id: int) -> Column:
        location = self.locations[location_id]
        key = (provider_id, location_id if self.by_place else location.zone_key)
        column = self._columns.setdefault(key, Column(self.providers[provider_id]))
        column.locations[location_id] = location
        return column

    def add(self, slot: SlotRow, state: str, type_id: int) -> Entry:
        """What is at that time, in its column."""
        begin, end = rows_between(slot.begins, (slot.ends_at - slot.starts_at).total_seconds() / 60)
        begins, kind = wall_in_words(slot.begins), self.kinds[type_id]
        entry = Entry(begin=begin, end=end, state=state, begins=begins, slot_id=slot.id, kind=kind)
        self.get(slot.provider_id, slot.location_id).entries.append(entry)
        return entry

    def group_of(self, column: Column) -> Location | None:
        return column.location if self.by_place else None

    def in_order(self) -> list[Column]:
        return sorted(
            self._columns.values(),
            key=lambda column: (column.location.name if self.by_place else "", column.provider.name, column.key),
        )


def _fill_in_visits(
    columns: _Columns, visits: Iterable[VisitRow], slots: dict[int, SlotRow], troubled: Container[UUID]
) -> None:
    """The visits of the day, each in its column."""
    now = clock.now()
    for visit in visits:
        slot = slots[visit.slot_id]
        entry = columns.add(slot, visit.status, visit.visit_type_id)
        entry.visit = visit
        entry.marks = _marks(visit.id in troubled, visit.lane, visit.prompt, visit.new, visit.moved, entry.kind.mode)
        if visit.status == Status.ARRIVED and visit.arrived_at:
            entry.waiting = max((now - visit.arrived_at) // timedelta(minutes=1), 0)


def _fill_in_times(columns: _Columns, slots: Iterable[SlotRow], moving: Appointment | None) -> None:
    """The times without a visit, each in its column."""
    now, full = clock.now(), find_full(columns.known, moving)
    for slot in slots:
        if slot.offered or slot.starts_at > now:
            entry = columns.add(slot, state_of(slot, now, full), slot.visit_type_id)
            if moving is not None:
                entry.moving_here = if_moved_to(slot, entry.state, moving, columns.known)
            if entry.state == SlotState.HELD:
                entry.until = end_in_words(slot.held_until, columns.locations[slot.location_id].zone)


def find_full(known: SetUp, moving: Appointment | None) -> FullDays:
    """The days on which a clinician can have no other visit; one that is being moved leaves room for itself."""
    return frozenset(find_full_days(known, leaving=moving.slot_id if moving else None))


def state_of(slot: SlotRow, now: datetime, full: FullDays) -> str:
    """What a time without a visit is: its own state, or what has become of it."""
    held = slot.state == SlotState.HELD and slot.held_until > now
    if not slot.offered and not held and slot.state != SlotState.BOOKED:
        return WITHDRAWN
    if held or slot.state == SlotState.BOOKED:
        return str(slot.state)
    if slot.starts_at <= now:
        return UNUSED
    return FULL if (slot.provider_id, slot.day) in full else SlotState.FREE


def if_moved_to(slot: SlotRow, state: str, moving: Appointment, known: SetUp) -> Difference | None:
    """What else changes if a visit moves to that time; None where it cannot: not free, or of another kind."""
    visit_type = known.all_types[slot.visit_type_id]
    if state != SlotState.FREE or visit_type.kind != moving.visit_type.kind:
        return None
    place, provider = known.all_locations[slot.location_id], known.all_providers[slot.provider_id]
    return compare(way_of(moving.slot, moving.visit_type), Way(visit_type.mode, place.name, provider.name))


@lru_cache(maxsize=500)  # many visits have the same marks
def _marks(troubled: bool, lane: str | None, prompt: bool, new: bool, moved: bool, mode: str) -> tuple[str, ...]:
    marks = (
        "mail" if troubled else "",
        "prompt" if prompt and lane else lane,
        "new" if new else "",
        "moved" if moved else "",
        "" if mode == Mode.IN_PERSON else mode,
    )
    return tuple([mark for mark in marks if mark])


def _close(column: Column, closures: Iterable[tuple[ClosureRow, list[diary.Hours]]]) -> None:
    """Shade what is closed."""
    for closure, times in closures:
        at = [place.name for place in column.locations.values() if concerns(closure, column.provider.id, place.id)]
        reason = closure.reason if len(at) == len(column.locations) else f"{closure.reason}, at {', '.join(at)}"
        for starts, ends in times if at else ():
            begin, end = rows_between(starts.time(), (ends - starts).total_seconds() / 60)
            column.bands.append(Band(begin=begin, end=end, reason=reason))


def _leave_out_explained(column: Column) -> None:
    """Leave out withdrawn times where a closure, a visit or another time says why."""
    known = [(band.begin, band.end) for band in column.bands]
    known += [(entry.begin, entry.end) for entry in column.entries if entry.state != WITHDRAWN]
    column.entries = [entry for entry in column.entries if entry.state != WITHDRAWN or not _touches(entry, known)]


def _minutes(opens: time, closes: time) -> int:
    return (closes.hour - opens.hour) * 60 + closes.minute - opens.minute


def _touches(entry: Entry, stretches: list[tuple[int, int]]) -> bool:
    return any(begin < entry.end and entry.begin < end for begin, end in stretches)


def _place(column: Column, scale: Scale, day: date) -> None:
    """Give everything in the column its row, its length and its place beside others at the same time."""
    column.entries.sort(key=lambda entry: (entry.begin, entry.state == Status.CANCELLED))
    column.bands = [band for band in column.bands if scale.place(band.begin, band.end)]
    column.bands.sort(key=lambda band: band.begin)
    column.beside = max(_place_beside(column.entries, scale), _place_beside(column.bands, scale))
    here = clock.now().astimezone(column.location.zone)
    if here.date() == day and here.hour in scale.hours:
        column.now = scale.row(here.time())


def _place_beside(items: Sequence[Item], scale: Scale) -> int:
    """Place what is given by when it begins; says how many things stand beside each other at most."""
    most = 1
    for item, (place, beside) in zip(items, arrange([(item.begin, item.end) for item in items]), strict=True):
        item.row, item.length = scale.place(item.begin, item.end) or (1, 1)
        item.place = f" p{place}-{beside}" if beside > 1 else ""
        most = max(most, beside)
    return most
