"""A week of visits and a month of free times: less of each day, more days."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from portal.booking.diary import VisitRow, count_visits, list_visit_rows
from portal.booking.models import TAKE_THE_SLOT, Appointment
from portal.core import clock
from portal.core.pages import zone_name
from portal.frontdesk.board import find_full, if_moved_to, state_of
from portal.frontdesk.moving import Difference
from portal.scheduling import diary
from portal.scheduling.diary import SlotRow
from portal.scheduling.models import Location, Provider, SlotState

DAY = timedelta(days=1)
VISITS_SHOWN, FREE_SHOWN = 12, 6  # of a clinician on one day; the day itself has them all
STEPS = 4  # of the heat map, besides none


@dataclass
class Cell:
    """A clinician's day in short."""

    visits: list[VisitRow] = field(default_factory=list)
    free: list[SlotRow] = field(default_factory=list)
    moving_here: dict[int, Difference] = field(default_factory=dict)  # what changes, by the time a visit moves to
    closed: list[str] = field(default_factory=list)  # reasons for which the whole day is

    @property
    def more_visits(self) -> int:
        return max(len(self.visits) - VISITS_SHOWN, 0)

    @property
    def more_free(self) -> int:
        """How many free times are not shown; while a visit is moved, all are."""
        return 0 if self.moving_here else max(len(self.free) - FREE_SHOWN, 0)

    @property
    def shown_visits(self) -> list[VisitRow]:
        return self.visits[:VISITS_SHOWN]

    @property
    def shown_free(self) -> list[SlotRow]:
        return self.free[: len(self.free) - self.more_free]


@dataclass
class Week:
    """Seven days of each clinician."""

    days: list[date]
    rows: dict[Provider, dict[date, Cell]]
    zones_of: dict[Provider, list[str]]  # what the clocks are called by which a clinician's times are shown

    @property
    def has_zones(self) -> bool:
        """Whether this week's places have clocks of more than one name."""
        return len({zone for zones in self.zones_of.values() for zone in zones}) > 1

    @property
    def before(self) -> date:
        return self.days[0] - 7 * DAY

    @property
    def after(self) -> date:
        return self.days[0] + 7 * DAY


@dataclass
class Month:
    """A month's days with how many times are free and how many visits stand on each; weeks begin on Sunday."""

    first: date
    weeks: list[list[date | None]]
    free: dict[date, int]
    visits: dict[date, int]

    @property
    def before(self) -> date:
        return (self.first - DAY).replace(day=1)

    @property
    def after(self) -> date:
        return (self.first + 31 * DAY).replace(day=1)

    def heat(self, day: date) -> int:
        """Which of the five steps the day is, none free to most of this month."""
        most = max(self.free.values(), default=0)
        return -(-STEPS * self.free.get(day, 0) // most) if most else 0


def first_of_week(day: date) -> date:
    """The Sunday on or before that day: weeks are as on US calendars."""
    return day - DAY * (day.isoweekday() % 7)


def get_week(first: date, provider_id: int | None = None, moving: Appointment | None = None) -> Week:
    """The week from that day, of all clinicians who have something in it, or of one."""
    last, now = first + 6 * DAY, clock.now()
    visits, slots = list_visit_rows(first, last, provider_id), diary.list_slot_rows(first, last, provider_id)
    known = diary.get_set_up_of(visits, slots)
    days = [first + DAY * n for n in range(7)]
    full = find_full(known, moving)
    rows: dict[int, dict[date, Cell]] = {}
    for visit in visits:
        if visit.status in TAKE_THE_SLOT:
            _cell(rows, visit, days).visits.append(visit)
    for slot in slots:
        if (state := state_of(slot, now, full)) == SlotState.FREE:
            cell = _cell(rows, slot, days)
            cell.free.append(slot)
            if moving and (difference := if_moved_to(slot, state, moving, known)):
                cell.moving_here[slot.id] = difference
    _note_closed(rows, days)
    found = {provider: rows[provider.id] for provider in known.all_providers.values() if provider.id in rows}
    return Week(days, found, {provider: _zones(cells, known.all_locations) for provider, cells in found.items()})


def get_month(first: date, provider_id: int | None = None, kind: str | None = None) -> Month:
    """The month from that day: what is free, of one clinician or kind where that is named, and who comes."""
    last = (first + 31 * DAY).replace(day=1) - DAY
    weeks = calendar.Calendar(calendar.SUNDAY).monthdatescalendar(first.year, first.month)
    return Month(
        first,
        [[day if day.month == first.month else None for day in week] for week in weeks],
        diary.count_free(first, last, provider_id, kind),
        count_visits(first, last, provider_id),
    )


def _cell(rows: dict[int, dict[date, Cell]], row: VisitRow | SlotRow, days: list[date]) -> Cell:
    if row.provider_id not in rows:
        rows[row.provider_id] = {day: Cell() for day in days}
    return rows[row.provider_id][row.day]


def _zones(cells: dict[date, Cell], places: dict[int, Location]) -> list[str]:
    """What the clocks of these cells are called. One time of each hour tells: they are set on the hour."""
    times = {
        (row.location_id, row.day, row.begins.hour): row.starts_at
        for cell in cells.values()
        for rows in (cell.visits, cell.free)
        for row in rows
    }
    return sorted({zone_name(starts_at, places[place_id].zone) for (place_id, _, _), starts_at in times.items()})


def _note_closed(rows: dict[int, dict[date, Cell]], days: list[date]) -> None:
    """Say why a clinician's day is empty, where the whole of it is closed."""
    for closure in diary.list_closures_in(days[0], days[-1]):
        for day in days:
            if closure.location_id is None and _is_whole(diary.list_closed(closure, day)):
                for provider_id, cells in rows.items():
                    if closure.provider_id in {None, provider_id}:
                        cells[day].closed.append(closure.reason)


def _is_whole(times: list[tuple[datetime, datetime]]) -> bool:
    return any(ends - starts >= DAY - timedelta(minutes=1) for starts, ends in times)
