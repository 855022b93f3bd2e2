"""What the owner asks of assessments: counts, never answers."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from portal.assessment.models import Assessment
from portal.assessment.questionnaire import SCREENS, VERSION
from portal.core.db import db


@dataclass(frozen=True)
class ScreenCount:
    """How many people answered a screen, and how many stopped before the next one."""

    number: int
    words: str
    answered: int
    stopped: int


def count_drop_off() -> list[ScreenCount]:
    """For each screen of the questionnaire in force, who answered it and who went no further.

    Somebody whose answers led to an emergency, or away to a booking, stops without having lost interest; only
    assessments that were never finished count as stopped.
    """
    rows = db.session.execute(
        select(Assessment.furthest, Assessment.finished_at.is_(None), func.count())
        .where(Assessment.questionnaire_version == VERSION)
        .group_by(Assessment.furthest, Assessment.finished_at.is_(None))
    ).all()
    return [
        ScreenCount(
            number,
            screen.questions[0].words,
            answered=sum(count for furthest, _, count in rows if furthest >= number),
            stopped=sum(count for furthest, unfinished, count in rows if furthest == number and unfinished),
        )
        for number, screen in enumerate(SCREENS, 1)
    ]
