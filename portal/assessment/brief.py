"""The assessment as a clinician wants it: lane, fits and figures, in thirty seconds."""

from __future__ import annotations

from dataclasses import dataclass

from portal.assessment.answers import Answers
from portal.assessment.models import Assessment
from portal.assessment.patterns import PATTERNS, explain_fit
from portal.assessment.questionnaire import QUESTIONS, RED_FLAGS
from portal.assessment.services import answers_of
from portal.assessment.triage import Lane, evaluate

FIGURES = {
    "timeline": "Began",
    "age_band": "Age",
    "pain_side": "Side",
    "attack_length": "Attack length",
    "headache_days": "Headache days a month",
    "med_days": "Medicine days a month",
    "med_types": "Takes",
    "tried": "Tried",
    "health_background": "Background",
    "headache_behaviour": "Signs",
}


@dataclass(frozen=True)
class PatternBrief:
    """One pattern that fits: how well, what speaks for it and what against."""

    name: str
    fit: str
    found: list[str]
    missing: list[str]


@dataclass(frozen=True)
class Brief:
    """What the answers say, in short."""

    lane: Lane
    prompt: bool
    reasons: list[str]
    patterns: list[PatternBrief]
    figures: list[tuple[str, str]]
    flags: list[str]
    safety_only: bool


def write_brief(assessment: Assessment) -> Brief:
    """The brief of an assessment, finished or not."""
    answers = answers_of(assessment)
    evaluation = evaluate(answers)
    return Brief(
        lane=evaluation.lane,
        prompt=evaluation.prompt,
        reasons=[f"{rule.id} {rule.guards_against}" for rule in evaluation.fired],
        patterns=[
            PatternBrief(pattern.name, evaluation.fits[pattern.id].name.lower(), *explain_fit(pattern, answers))
            for pattern in PATTERNS
            if pattern.id in evaluation.fits
        ],
        figures=[
            (label, _words(question_id, answers)) for question_id, label in FIGURES.items() if question_id in answers
        ],
        flags=[flag.replace("_", " ") for flag in evaluation.flags],
        safety_only=set(answers) == {RED_FLAGS.id},
    )


def _words(question_id: str, answers: Answers) -> str:
    question = QUESTIONS[question_id]
    ticked = [option.words for option in question.options if option.id in answers[question_id]]
    return "; ".join(ticked) or "skipped"
