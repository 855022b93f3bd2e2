"""The diary as the desk sees it; the desk owns no tables."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from portal.assessment.brief import Brief, write_brief
from portal.booking.models import Appointment
from portal.booking.queries import find_appointments_in
from portal.core import clock
from portal.scheduling.models import Provider, Slot, SlotState
from portal.scheduling.queries import get_zone, list_day_slots


@dataclass(frozen=True)
class Entry:
    """A slot of the day, with the visit in it and what was cancelled from it."""

    slot: Slot
    visit: Appointment | None
    cancelled: list[Appointment]
    brief: Brief | None

    @property
    def state(self) -> str:
        """What the slot is, in one word: the visit's status, or the slot's own state."""
        if self.visit is not None:
            return self.visit.status
        run_out = self.slot.held_until is not None and self.slot.held_until <= clock.now()
        return SlotState.FREE if run_out else self.slot.state


def get_day(day: date) -> dict[Provider, list[Entry]]:
    """Each clinician's slots of that day in order, with their visits."""
    slots = list_day_slots(day)
    visits = find_appointments_in([slot.id for slot in slots])
    board: dict[Provider, list[Entry]] = {}
    for slot in slots:
        board.setdefault(slot.provider, []).append(_entry(slot, visits.get(slot.id, [])))
    return board


def count_states(board: dict[Provider, list[Entry]]) -> list[tuple[str, int]]:
    """How many slots are in which state, most first."""
    return Counter(entry.state for entries in board.values() for entry in entries).most_common()


def get_today() -> date:
    """The day it is at the clinic: by the clocks of its first place, by name."""
    return clock.today(get_zone())


def _entry(slot: Slot, appointments: list[Appointment]) -> Entry:
    visit = next((appointment for appointment in appointments if appointment.takes_slot), None)
    cancelled = [appointment for appointment in appointments if appointment is not visit]
    return Entry(slot, visit, cancelled, brief_of(visit) if visit else None)


def brief_of(appointment: Appointment) -> Brief | None:
    """What the visit's assessment says."""
    return write_brief(appointment.assessment) if appointment.assessment is not None else None
