"""When, how and where somebody could come: the wishes of the earlier-slot list and of requests for a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, time

from portal.scheduling.models import Slot

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
PARTS_OF_DAY = {"morning": "mornings", "afternoon": "afternoons"}
NOON = time(12)


@dataclass(frozen=True)
class Wishes:
    """What suits somebody; an empty list means that all does. Weekdays are numbers as text, Monday is "0"."""

    weekdays: tuple[str, ...] = ()
    parts_of_day: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, stored: dict[str, list[str]]) -> Wishes:
        return cls(**{name: tuple(values) for name, values in stored.items()})

    def to_json(self) -> dict[str, list[str]]:
        return {name: list(values) for name, values in asdict(self).items()}

    def fit(self, slot: Slot) -> bool:
        """Whether a time is as wished."""
        wall: datetime = slot.starts_at.astimezone(slot.location.zone)
        facts = (
            (self.weekdays, str(wall.weekday())),
            (self.parts_of_day, "morning" if wall.time() < NOON else "afternoon"),
            (self.modes, slot.visit_type.mode),
            (self.locations, slot.location.code if slot.visit_type.mode == "in-person" else None),
        )
        return all(not wished or fact is None or fact in wished for wished, fact in facts)

    def in_words(self) -> str:
        """Like "Monday, Friday; mornings; in person", for the desk."""
        parts = [
            [WEEKDAYS[int(day)] for day in self.weekdays],
            [PARTS_OF_DAY[part] for part in self.parts_of_day],
            [mode.replace("-", " ") for mode in self.modes],
            list(self.locations),
        ]
        return "; ".join(", ".join(words) for words in parts if words) or "any time"
