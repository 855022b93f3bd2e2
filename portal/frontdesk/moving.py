"""What changes besides the time when a visit moves: how, where and with whom it is."""

from __future__ import annotations

from typing import NamedTuple

from portal.scheduling.models import Mode, Slot, VisitType


class Way(NamedTuple):
    """How, where and with whom a visit is."""

    mode: str
    place: str
    clinician: str


class Difference(NamedTuple):
    """What is not as before, in words; empty where it is."""

    way: str
    place: str
    clinician: str

    @property
    def words(self) -> str:
        """All of it, like "in person, at East, with Ada Test, MD"."""
        return ", ".join(filter(None, self))

    @property
    def shown(self) -> str:
        """What a button has room for, in a line or a column of the clinician."""
        return self.way or self.place

    @property
    def unseen(self) -> str:
        """The rest of it, for who hears the button."""
        return ", ".join(words for words in self if words not in {"", self.shown})


def way_of(slot: Slot, visit_type: VisitType) -> Way:
    """How a visit of that type is in that slot."""
    return Way(visit_type.mode, slot.location.name, slot.provider.name)


def compare(before: Way, after: Way) -> Difference:
    """What is not the same; a place counts where people meet in it."""
    in_person = after.mode == Mode.IN_PERSON
    way = "in person" if in_person else f"by {after.mode}"
    return Difference(
        way if before.mode != after.mode else "",
        f"at {after.place}" if in_person and before[:2] != after[:2] else "",
        f"with {after.clinician}" if before.clinician != after.clinician else "",
    )
