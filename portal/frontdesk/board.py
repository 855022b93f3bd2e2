"""The day board: who comes to whom and when, to scale. Its number of queries does not grow with the visits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from markupsafe import Markup

from portal.booking.diary import VisitRow, find_first_visits, find_moved, list_visit_rows
from portal.booking.models import TAKE_THE_SLOT, Appointment, Status
from portal.core import clock
from portal.frontdesk.scale import Scale, arrange, fit_scale, rows_between
from portal.frontdesk.words import STATES, wall_in_words
from portal.notifications.queries import find_troubled
from portal.scheduling import diary
from portal.scheduling.diary import SlotRow
from portal.scheduling.models import Closure, Location, Mode, Provider, SlotState, VisitType
from portal.scheduling.openings import concerns

UNUSED, WITHDRAWN = "unused", "withdrawn"  # a free time that has passed; one that the set-up offers no more
ColumnKey = tuple[int, int | str]


@dataclass(kw_only=True)
class Item:
    """Something of a column: from and up to which row of the day, and where that is on the board."""

    begin: int
    end: int
    state: str
    row: int = 0
    length: int = 0
    place: str = ""  # a class, where it shares the column's width with others

    @property
    def classes(self) -> Markup:
        """Where it is and what it is, for the style sheet."""
        return Markup(f"r{self.row} n{self.length}{self.place} {self.state}")  # noqa: S704 - words and numbers of ours


@dataclass(kw_only=True)
class Entry(Item):
    """A visit, or a time without one."""

    begins: str
    slot_id: int
    kind: VisitType
    visit: VisitRow | None = None
    marks: list[str] = field(default_factory=list)
    waiting: int | None = None  # minutes since the patient arrived
    until: str = ""  # when a hold runs out
    can_move_here: bool = False


@dataclass(kw_only=True)
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
        return sorted([*self.bands, *self.entries], key=lambda item: (item.row, item.state != "closed", item.place))


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
        return any(entry.can_move_here for column in self.columns for entry in column.entries)

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
    columns = _Columns(by_place)
    fill_in_slots(columns, day, provider_id, moving)
    for row, (opens, closes) in diary.list_working(day, provider_id):
        minutes = (closes - opens).total_seconds() / 60
        columns.get(row.provider_id, row.location_id).stretches.append(rows_between(opens, minutes))
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

    def __init__(self, by_place: bool) -> None:
        self.by_place = by_place
        self.providers, self.types = diary.get_lookups()
        self.locations = diary.get_places()
        self._columns: dict[ColumnKey, Column] = {}

    def get(self, provider_id: int, location_id: int) -> Column:
        location = self.locations[location_id]
        key = (provider_id, location_id if self.by_place else location.zone_key)
        column = self._columns.get(key) or self._columns.setdefault(key, Column(self.providers[provider_id]))
        column.locations.setdefault(location_id, location)
        return column

    def group_of(self, column: Column) -> Location | None:
        return column.location if self.by_place else None

    def in_order(self) -> list[Column]:
        return sorted(
            self._columns.values(),
            key=lambda column: (column.location.name if self.by_place else "", column.provider.name, column.key),
        )


def fill_in_slots(columns: _Columns, day: date, provider_id: int | None, moving: Appointment | None) -> None:
    """The visits of the day and the times without one, each in its column."""
    now = clock.now()
    visits = list_visit_rows(day, day, provider_id)
    said = {
        "mail": find_troubled([visit.id for visit in visits]),
        "new": find_first_visits(day, day),
        "moved": find_moved(day, day),
    }
    taken = {visit.slot_id for visit in visits if visit.status in TAKE_THE_SLOT}
    for visit in visits:
        entry = _entry_of(visit, visit.status, visit.slot_id, columns.types[visit.visit_type_id])
        entry.visit = visit
        entry.marks = _marks(visit, entry.kind, said)
        if visit.status == Status.ARRIVED and visit.arrived_at:
            entry.waiting = max((now - visit.arrived_at) // timedelta(minutes=1), 0)
        columns.get(visit.provider_id, visit.location_id).entries.append(entry)
    for slot in diary.list_slot_rows(day, day, provider_id):
        if slot.id not in taken and (slot.offered or slot.starts_at > now):
            entry = _entry_of(slot, state_of(slot, now), slot.id, columns.types[slot.visit_type_id])
            entry.can_move_here = moving is not None and can_take(slot, entry.kind, moving, now)
            if entry.state == SlotState.HELD:
                zone = columns.locations[slot.location_id].zone
                entry.until = wall_in_words(slot.held_until.astimezone(zone).time())
            columns.get(slot.provider_id, slot.location_id).entries.append(entry)


def state_of(slot: SlotRow, now: datetime) -> str:
    """What a time without a visit is: its own state, or what has become of it."""
    held = slot.state == SlotState.HELD and slot.held_until > now
    if not slot.offered and not held and slot.state != SlotState.BOOKED:
        return WITHDRAWN
    if held or slot.state == SlotState.BOOKED:
        return str(slot.state)
    return UNUSED if slot.starts_at <= now else SlotState.FREE


def can_take(slot: SlotRow, kind: VisitType, moving: Appointment, now: datetime) -> bool:
    """Whether a visit can move to that time: it is free and of the visit's kind."""
    return state_of(slot, now) == SlotState.FREE and kind.kind == moving.visit_type.kind


def _entry_of(row: VisitRow | SlotRow, state: str, slot_id: int, kind: VisitType) -> Entry:
    minutes = (row.ends_at - row.starts_at).total_seconds() / 60
    begin, end = rows_between(row.begins, minutes)
    return Entry(begin=begin, end=end, state=state, begins=wall_in_words(row.begins), slot_id=slot_id, kind=kind)


def _marks(visit: VisitRow, kind: VisitType, said: dict[str, set[UUID]]) -> list[str]:
    marks = ["mail"] if visit.id in said["mail"] else []
    marks += [("prompt" if visit.prompt else visit.lane)] if visit.lane else []
    marks += [mark for mark in ("new", "moved") if visit.id in said[mark]]
    return marks if kind.mode == Mode.IN_PERSON else [*marks, kind.mode]


def _close(column: Column, closures: Iterable[tuple[Closure, list[diary.Hours]]]) -> None:
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
