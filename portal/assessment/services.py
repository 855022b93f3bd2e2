"""Record answers, finish an assessment, and say what its answers mean for booking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from portal.assessment import flow
from portal.assessment.answers import Answers, is_skipped, parse, prune, to_json
from portal.assessment.models import Assessment
from portal.assessment.questionnaire import RED_FLAGS, VERSION
from portal.assessment.triage import Evaluation, Lane, evaluate
from portal.core import clock
from portal.core.db import db, transactional
from portal.referrals.services import Reached, reach


class Standing(NamedTuple):
    """Where a journey stands for booking: its lane, how soon, and the assessment that says so."""

    lane: Lane
    prompt: bool
    assessment_id: UUID


def get_current(journey_id: UUID | None) -> Assessment | None:
    """The newest revision of this journey's assessment, finished or not."""
    if journey_id is None:
        return None
    return db.session.scalar(
        select(Assessment).where(Assessment.journey_id == journey_id).order_by(Assessment.revision.desc()).limit(1)
    )


def get_assessment(assessment_id: UUID) -> Assessment | None:
    """The assessment of that id."""
    return db.session.get(Assessment, assessment_id)


def answers_of(assessment: Assessment | None) -> Answers:
    """What was answered so far."""
    return parse(assessment.answers) if assessment else {}


def standing_of(journey_id: UUID | None) -> Standing | None:
    """Where the journey stands by its newest answers, finished or not.

    None while nothing is known about the warning signs of the first screen: it must be asked first.
    """
    assessment = get_current(journey_id)
    answers = answers_of(assessment)
    if assessment is None or is_skipped(RED_FLAGS.id, answers):
        return None
    evaluation = evaluate(answers)
    return Standing(evaluation.lane, evaluation.prompt, assessment.id)


@transactional
def record_answers(journey_id: UUID, given: Mapping[str, frozenset[str]]) -> Answers:
    """Add answers to the journey's assessment and return all it has now.

    Answers of branches that the new ones close are dropped. A finished assessment is left as it is and a
    new revision begun. An emergency ends the assessment at once.
    """
    current = get_current(journey_id)
    answers = prune({**answers_of(current), **given})
    if current is None or current.finished_at:
        current = _start_revision(journey_id, after=current)
    current.answers = to_json(answers)
    if evaluate(answers).lane is Lane.EMERGENCY:
        _finish(current, answers)
    return answers


@transactional
def finish(journey_id: UUID) -> bool:
    """Evaluate the journey's assessment once and for all; False while something is still to be asked."""
    current = get_current(journey_id)
    answers = answers_of(current)
    if current is None or flow.next_question(answers) is not None:
        return False
    if current.finished_at is None:
        _finish(current, answers)
    return True


@transactional
def start_over(journey_id: UUID) -> None:
    """Begin an empty revision; what was answered before stays as it was, in its own."""
    current = get_current(journey_id)
    if current is None or current.answers:
        _start_revision(journey_id, after=current)


def _start_revision(journey_id: UUID, after: Assessment | None) -> Assessment:
    assessment = Assessment(
        journey_id=journey_id,
        revision=after.revision + 1 if after else 1,
        questionnaire_version=VERSION,
        answers={},
        started_at=clock.now(),
    )
    db.session.add(assessment)
    reach(journey_id, Reached.ASSESSMENT_STARTED)
    return assessment


def _finish(assessment: Assessment, answers: Answers) -> None:
    evaluation = evaluate(answers)
    assessment.finished_at = clock.now()
    assessment.lane = evaluation.lane
    assessment.result = evaluation.to_json(answers)
    reach(assessment.journey_id, Reached.ASSESSMENT_FINISHED, lane=evaluation.lane)


def evaluate_assessment(assessment: Assessment) -> Evaluation:
    """What the rules make of the answers so far."""
    return evaluate(answers_of(assessment))
