"""A clinic's diary in plain Python, without a database: what is offered, who has what, and what the answer must be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

DONE, TAKEN, ALREADY, LATE = "done", "taken", "already booked", "too late"
HOLD = timedelta(minutes=10)
NOTICE, CUTOFF = timedelta(minutes=120), timedelta(minutes=60)
HORIZON = timedelta(weeks=1)
DAY = timedelta(days=1)


@dataclass(eq=False)
class Type:
    id: int
    kind: str
    mode: str
    minutes: int
    before: int = 0
    after: int = 0

    @property
    def lengths(self) -> tuple[timedelta, timedelta, timedelta]:
        return timedelta(minutes=self.before), timedelta(minutes=self.minutes), timedelta(minutes=self.after)


@dataclass(eq=False)
class Hours:
    """Availability: these weekdays of every week or of every second one."""

    id: int
    provider: int
    place: int
    type: Type
    weekdays: tuple[int, ...]
    every: int
    opens: time
    closes: time
    first: date
    last: date | None

    def fall_on(self, day: date) -> bool:
        week = ((day - timedelta(days=day.weekday())) - (self.first - timedelta(days=self.first.weekday()))).days // 7
        valid = self.first <= day <= (self.last or day)
        return valid and day.weekday() in self.weekdays and week % self.every == 0


@dataclass(eq=False)
class Closed:
    """A closed time; with weekdays it comes again on each of them until the last day."""

    id: int
    provider: int | None
    place: int | None
    starts: datetime
    ends: datetime
    weekdays: tuple[int, ...] | None
    last: date | None

    def hits(self, provider: int, place: int, starts: datetime, ends: datetime) -> bool:
        if self.provider not in {None, provider} or self.place not in {None, place}:
            return False
        return any(begin < ends and starts < end for begin, end in self._spans(starts.date()))

    def _spans(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        if self.weekdays is None:
            yield self.starts, self.ends
            return
        for near in (day - DAY, day, day + DAY):
            if near.weekday() in self.weekdays and self.starts.date() <= near <= (self.last or near):
                begin = datetime.combine(near, self.starts.time())
                yield begin, begin + (self.ends - self.starts)


@dataclass(frozen=True)
class Stretch:
    """A time as availability offers it, with what it takes of the clinician's day."""

    provider: int
    place: int
    type_id: int
    starts: datetime
    ends: datetime
    reserved_from: datetime
    reserved_until: datetime

    def overlaps(self, other: Stretch) -> bool:
        same = self.provider == other.provider
        return same and self.reserved_from < other.reserved_until and other.reserved_from < self.reserved_until


@dataclass(eq=False)
class Slot:
    id: int
    at: Stretch
    kind: str
    day: date
    offered: bool
    visit: Any = None  # the id of the visit that has it
    holder: Any = None
    until: datetime | None = None
    freed: bool = False

    def is_held(self, now: datetime) -> bool:
        return self.until is not None and self.until > now

    def is_taken(self, now: datetime) -> bool:
        return self.visit is not None or self.is_held(now)

    def let_go(self) -> None:
        self.holder = self.until = None


@dataclass(eq=False)
class Visit:
    id: Any
    person: int
    kind: str
    slot: Slot
    key: str
    journey: Any
    cancelled: bool = False
    wishes: tuple[str, ...] | None = None  # the parts of the day that suit; None when it is not on the list
    wished: tuple[str, ...] | None = None  # as it was when it was cancelled


@dataclass
class Diary:
    zones: dict[int, ZoneInfo]
    types: list[Type]
    hours: list[Hours]
    closed: list[Closed] = field(default_factory=list)
    caps: dict[int, int | None] = field(default_factory=dict)
    slots: dict[int, Slot] = field(default_factory=dict)
    visits: list[Visit] = field(default_factory=list)
    ceilings: dict[tuple[int, date], int] = field(default_factory=dict)

    def openings(self, now: datetime) -> set[Stretch]:
        """What availability offers from now to the horizon, and no closure takes away."""
        return {at for hours in self.hours for at in self._openings(hours, now) if at.starts > now}

    def _openings(self, hours: Hours, now: datetime) -> Iterator[Stretch]:
        zone = self.zones[hours.place]
        before, length, after = hours.type.lengths
        today = now.astimezone(zone).date()
        for day in (today + DAY * n for n in range(HORIZON.days + 1)):
            wall, closes = datetime.combine(day, hours.opens), datetime.combine(day, hours.closes)
            while hours.fall_on(day) and wall + before + length + after <= closes:
                begin, wall = wall + before, wall + before + length + after
                if not self.is_closed(hours.provider, hours.place, begin, begin + length):
                    starts = begin.replace(tzinfo=zone).astimezone(UTC)
                    ends = starts + length
                    owner = (hours.provider, hours.place, hours.type.id)
                    yield Stretch(*owner, starts, ends, starts - before, ends + after)

    def is_closed(self, provider: int, place: int, starts: datetime, ends: datetime) -> bool:
        return any(closed.hits(provider, place, starts, ends) for closed in self.closed)

    def wall(self, moment: datetime, place: int) -> datetime:
        return moment.astimezone(self.zones[place]).replace(tzinfo=None)

    def is_in_hours(self, at: Stretch) -> bool:
        """Whether a time and what is reserved around it lie within the hours of some availability."""
        begins, ends = self.wall(at.reserved_from, at.place), self.wall(at.reserved_until, at.place)
        return any(
            (hours.provider, hours.place, hours.type.id) == (at.provider, at.place, at.type_id)
            and hours.fall_on(begins.date())
            and datetime.combine(begins.date(), hours.opens) <= begins
            and ends <= datetime.combine(begins.date(), hours.closes)
            for hours in self.hours
        )

    def claim(self, slot: Slot, holder: Any, now: datetime, leaving: Slot | None = None) -> set[str]:
        """What somebody who claims a slot is answered; what the same person gives up by this counts for no cap."""
        if not self.is_open_to(slot, holder, now):
            return {TAKEN}
        cap = self.caps.get(slot.at.provider)
        others = [other for other in self.on_day(slot.at.provider, slot.day, now) if other not in (slot, leaving)]
        counted = [other for other in others if not (holder and other.holder == holder)]
        return {DONE} if cap is None or len(counted) < cap else {TAKEN}

    def is_open_to(self, slot: Slot, holder: Any, now: datetime) -> bool:
        if slot.visit is not None:
            return False
        own = holder is not None and slot.holder == holder and (slot.is_held(now) or slot.offered)
        free = slot.offered and not slot.is_held(now) and slot.at.starts >= now + NOTICE
        return free or (own and slot.at.starts > now)

    def on_day(self, provider: int, day: date, now: datetime) -> list[Slot]:
        """What is booked or held of a clinician's day."""
        slots = (slot for slot in self.slots.values() if slot.at.provider == provider and slot.day == day)
        return [slot for slot in slots if slot.is_taken(now)]

    def active(self, person: int, kind: str, now: datetime) -> list[Visit]:
        """The visits of a person and kind that stand and are not over."""
        return [
            visit
            for visit in self.visits
            if (visit.person, visit.kind) == (person, kind) and not visit.cancelled and visit.slot.at.ends > now
        ]

    def leave(self, visit: Visit) -> None:
        visit.slot.visit, visit.slot.freed = None, True

    def take(self, visit: Visit, slot: Slot) -> None:
        slot.let_go()
        slot.visit, slot.freed, visit.slot = visit.id, False, slot

    def suits(self, slot: Slot, visit: Visit, now: datetime) -> bool:
        """Whether the earlier-slot list may offer a slot to a visit."""
        part = "morning" if self.wall(slot.at.starts, slot.at.place).hour < 12 else "afternoon"
        waits = visit.wishes is not None and (not visit.wishes or part in visit.wishes)
        return waits and not visit.cancelled and visit.kind == slot.kind and visit.slot.at.starts > slot.at.starts
