"""What the owner asks of assessments: counts, never answers."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import and_, func, select

from portal.assessment.models import Assessment
from portal.assessment.questionnaire import SCREENS, VERSION
from portal.core.db import db
from portal.referrals.models import Journey
from portal.referrals.services import COUNTED_ELSEWHERE, Reached
from portal.referrals.small_counts import SMALLEST, show, show_falling

FEW = range(1, SMALLEST)
BEGAN = Journey.reached.bitwise_and(Reached.ASSESSMENT_STARTED.bit) > 0
COUNTED_HERE = Journey.reached.bitwise_and(COUNTED_ELSEWHERE) == 0


@dataclass(frozen=True)
class ScreenCount:
    """How many people answered a screen, and how many stopped before the next one; None is a small count."""

    number: int
    words: str
    answered: int | None
    stopped: int | None


def has_begun_check(journey_id: UUID) -> bool:
    """Whether this journey has begun the headache check, not only been asked the safety question of a booking."""
    return db.session.scalar(select(Journey.id).where(Journey.id == journey_id, BEGAN)) is not None


def count_drop_off() -> list[ScreenCount]:
    """For each screen of the questionnaire in force, who answered it and who went no further.

    Somebody whose answers led to an emergency, or away to a booking, stops without having lost interest; only
    assessments that were never finished and led to no visit count as stopped. Who was only asked the safety question
    of a booking has not begun the check.
    """
    stops = and_(Assessment.finished_at.is_(None), ~Assessment.kept)
    rows = db.session.execute(
        select(Assessment.furthest, stops, func.count())
        .join(Journey, Journey.id == Assessment.journey_id)
        .where(Assessment.questionnaire_version == VERSION, BEGAN, COUNTED_HERE)
        .group_by(Assessment.furthest, stops)
    ).all()
    numbers = range(1, len(SCREENS) + 1)
    ended = [
        [sum(count for at, stopped, count in rows if at == number and stopped == kind) for kind in (True, False)]
        for number in numbers
    ]
    answered = show_falling([sum(map(sum, ended[number - 1 :])) for number in numbers])
    return [
        # Who did not stop was led away, such as to an emergency: so few must not be told by subtracting.
        ScreenCount(number, screen.questions[0].words, answered[number - 1], show(stopped) if away not in FEW else None)
        for number, screen, (stopped, away) in zip(numbers, SCREENS, ended, strict=True)
    ]
