"""The answers a person gave: parsed from anything, kept in one form, never wrong inside.

A question is answered (one or more options), skipped (an empty set: no evidence), or not asked (absent).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.assessment.criteria import NOTHING, Case
from portal.assessment.questionnaire import NONE, QUESTIONS, UNSURE, Question

# Options that rule out the others of their question; where both are ticked the others win, being the
# answer that is safer to believe.
EXCLUSIVE = frozenset({NONE, "nothing", UNSURE})

Answers = Mapping[str, frozenset[str]]


class InvalidAnswers(ValueError):
    """Some answers name a question or option that does not exist, or too many options."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse(raw: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """Answers from JSON-like values: an option id, a list of them, or None for skipped.

    Raises InvalidAnswers that names every problem.
    """
    problems: list[str] = []
    answers: dict[str, frozenset[str]] = {}
    for question_id, value in raw.items():
        question = QUESTIONS.get(question_id)
        if question is None:
            problems.append(f"{question_id!r} is no question")
            continue
        try:
            answers[question_id] = parse_one(question, value)
        except InvalidAnswers as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidAnswers(problems)
    return answers


def parse_one(question: Question, value: Any) -> frozenset[str]:
    """The options ticked for one question; empty when it was skipped."""
    values = [] if value is None else [value] if isinstance(value, str) else value
    if not isinstance(values, list | tuple | set | frozenset) or not all(isinstance(v, str) for v in values):
        raise InvalidAnswers([f"{question.id}: write an option id or a list of them, not {value!r}"])
    unknown = sorted(set(values) - question.option_ids)
    if unknown:
        raise InvalidAnswers([f"{question.id}: {', '.join(map(repr, unknown))} is no option of it"])
    ticked = frozenset(values)
    if question.kind == "one" and len(ticked) > 1:
        raise InvalidAnswers([f"{question.id}: only one option may be chosen"])
    return ticked if len(ticked) == 1 else ticked - EXCLUSIVE


def to_json(answers: Answers) -> dict[str, list[str]]:
    """The answers as plain values, in the order of the questionnaire, to store or to send."""
    return {
        question.id: [option.id for option in question.options if option.id in answers[question.id]]
        for question in QUESTIONS.values()
        if question.id in answers
    }


def transcribe(answers: Answers) -> list[list[object]]:
    """Each question asked and the answers to it in words, readable when the questions have long changed."""
    return [
        [question.words, [option.words for option in question.options if option.id in answers[question.id]]]
        for question in QUESTIONS.values()
        if question.id in answers
    ]


def is_asked(question: Question, answers: Answers) -> bool:
    """Whether what was answered before opens this question."""
    return question.shown_when is None or question.shown_when.holds(Case(answers))


def prune(answers: Answers) -> dict[str, frozenset[str]]:
    """The answers without those of branches that other answers have closed."""
    return {
        question.id: answers[question.id]
        for question in QUESTIONS.values()
        if question.id in answers and is_asked(question, answers)
    }


def is_skipped(question_id: str, answers: Answers) -> bool:
    """Whether there is no evidence from that question."""
    return not answers.get(question_id, NOTHING)
