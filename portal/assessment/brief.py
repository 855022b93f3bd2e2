"""The headache brief: what an assessment says, for the thirty seconds before the door opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from portal.assessment.answers import Answers
from portal.assessment.models import Assessment
from portal.assessment.patterns import check_criteria
from portal.assessment.questionnaire import NONE, QUESTIONS, RED_FLAGS
from portal.assessment.rules import FLAG_WORDS, Lane, Rule
from portal.assessment.services import answers_of
from portal.assessment.triage import Evaluation, evaluate

FIGURES = {
    "age_band": "Age",
    "timeline": "Began",
    "headache_days": "Headache days a month",
    "med_days": "Medicine days a month",
    "med_types": "Takes",
    "days_lost": "Days lost in 3 months",
    "tried": "Tried",
}
STORY = {
    "pain_site": "Site",
    "pain_side": "Side",
    "attack_length": "Length",
    "pain_feel": "Feel",
    "effect": "At worst",
    "along_with": "Comes with",
    "touch_triggers": "Set off by touch",
    "neck_link": "Neck",
}
SIGNS = {
    "red_flags_now": "Warning signs",
    "health_background": "Background",
    "headache_behaviour": "Behavior",
}
A_SIGN = "a sign that must be looked at now"  # where the result gives no reason of its own


@dataclass(frozen=True)
class PatternBrief:
    """A pattern that fits: how well, and which of its criteria are met and not met."""

    name: str
    source: str
    fit: str
    met: list[str]
    unmet: list[str]


@dataclass(frozen=True)
class Brief:
    """What the answers say, in the clinician's order: how soon, why, which pattern, how much, what was tried."""

    lane: Lane
    prompt: bool
    reasons: list[str]
    patterns: list[PatternBrief] | None  # None where the person is told of none
    figures: list[tuple[str, str]]
    story: list[tuple[str, str]]
    signs: list[tuple[str, str]]
    flags: list[str]
    safety_only: bool
    finished_at: datetime | None
    version: str


def write_brief(assessment: Assessment, own: bool = False) -> Brief:
    """The brief of an assessment, finished or not: for the care team, or the person's own, which says why in the words
    of the result and names no pattern where that names none."""
    answers = answers_of(assessment)
    evaluation = evaluate(answers)
    tells_patterns = evaluation.tells_patterns or not own
    return Brief(
        lane=evaluation.lane,
        prompt=evaluation.prompt,
        reasons=[f"{rule.id}: {_why(rule, own)}" for rule in evaluation.fired],
        patterns=_list_patterns(evaluation, answers) if tells_patterns else None,
        figures=_lines(FIGURES, answers),
        story=_lines(STORY, answers),
        signs=_lines(SIGNS, answers),
        flags=[FLAG_WORDS[flag] for flag in evaluation.flags] if tells_patterns else [],
        safety_only=set(answers) == {RED_FLAGS.id},
        finished_at=assessment.finished_at,
        version=assessment.questionnaire_version,
    )


def _why(rule: Rule, own: bool) -> str:
    return (rule.because or A_SIGN).rstrip(".") if own else rule.guards_against


def _list_patterns(evaluation: Evaluation, answers: Answers) -> list[PatternBrief]:
    return [
        PatternBrief(
            fitting.pattern.term,
            fitting.pattern.source,
            fitting.fit.name.lower(),
            *check_criteria(fitting.pattern, answers),
        )
        for fitting in evaluation.patterns
    ]


def _lines(labels: dict[str, str], answers: Answers) -> list[tuple[str, str]]:
    return [(label, _words(question_id, answers)) for question_id, label in labels.items() if question_id in answers]


def _words(question_id: str, answers: Answers) -> str:
    ticked = answers[question_id]
    if ticked == {NONE}:
        return "none"
    words = [option.words for option in QUESTIONS[question_id].options if option.id in ticked]
    return "; ".join(words) or "skipped"
