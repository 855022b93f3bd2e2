"""What the database can say about how the portal is doing, at a cost that does not grow with the years."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from portal.core import clock
from portal.notifications.queries import count_unsettled, oldest_waiting
from portal.operations.notes import BACKUP, WORKER, last_time
from portal.scheduling.queries import count_slots_to_come

NEVER = float("inf")  # seconds


@dataclass(frozen=True)
class Reading:
    """One figure, or one for each value of its labels."""

    name: str
    about: str
    values: dict[tuple[str, ...], float]
    labels: list[str] = field(default_factory=list)


def read_gauges() -> Iterator[Reading]:
    """The figures as they are now."""
    yield _of("mails", "Mails that have not left for good, by state.", "state", count_unsettled())
    yield Reading(
        "mail_oldest_seconds",
        "How long the oldest mail that is due has waited for us or the mail server.",
        {(): _age(oldest_waiting())},
    )
    yield _of("slots", "Times of the coming weeks, by state.", "state", count_slots_to_come())
    yield Reading("worker_seen_seconds", "Since when no worker was seen.", {(): _age(last_time(WORKER), NEVER)})
    yield Reading("backup_seconds", "Age of the last backup.", {(): _age(last_time(BACKUP), NEVER)})


def _of(name: str, about: str, label: str, counts: Counter[str]) -> Reading:
    return Reading(name, about, {(value,): count for value, count in counts.items()}, [label])


def _age(moment: datetime | None, otherwise: float = 0.0) -> float:
    return max(0.0, (clock.now() - moment).total_seconds()) if moment else otherwise
