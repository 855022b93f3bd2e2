"""Which page comes next: pure, from the answers alone."""

from __future__ import annotations

from math import ceil

from portal.assessment.answers import Answers, is_asked
from portal.assessment.criteria import NOTHING, Has
from portal.assessment.questionnaire import QUESTIONS, SCREENS, Question, Screen
from portal.assessment.rules import Lane
from portal.assessment.triage import Evaluation, evaluate

SAFETY_SCREENS = SCREENS[:5]  # after these a same-day rule interrupts
SAFETY_QUESTIONS = tuple(question for screen in SAFETY_SCREENS for question in screen.questions)
LAST_SCREEN = SCREENS[-1]


def screens_for(answers: Answers) -> list[Screen]:
    """The screens that a person with these answers sees; who must be seen today is spared the last."""
    spared = evaluate(answers).lane is Lane.SAME_DAY
    return [screen for screen in SCREENS if screen is not LAST_SCREEN or not spared]


def next_question(answers: Answers) -> Question | None:
    """The first question that is asked and has neither an answer nor a skip; None when all is said."""
    for screen in screens_for(answers):
        for question in screen.questions:
            if question.id not in answers and is_asked(question, answers):
                return question
    return None


def page_of(question: Question, answers: Answers) -> Question:
    """The question whose address shows this one: the first of its screen, unless that is answered already."""
    first = screen_of(question).questions[0]
    return question if first.id in answers else first


def questions_on_page(question: Question, answers: Answers) -> list[Question]:
    """What is asked together at the address of this question.

    The first question of a screen brings the others that are asked; any other comes alone.
    """
    screen = screen_of(question)
    if question is not screen.questions[0]:
        return [question]
    return [asked for asked in screen.questions if is_asked(asked, answers)]


def revealed_on_page(question: Question, answers: Answers) -> list[Question]:
    """Questions that an answer on this page may open: shown as soon as it is ticked."""
    screen = screen_of(question)
    if question is not screen.questions[0]:
        return []
    return [other for other in screen.questions if not is_asked(other, answers)]


def revealing_options(question: Question, answers: Answers) -> set[tuple[str, str]]:
    """Question and option ids on this page that open another question of the page when they are ticked."""
    page = {asked.id for asked in questions_on_page(question, answers)}
    conditions = [revealed.shown_when for revealed in revealed_on_page(question, answers) if revealed.shown_when]
    parts = [part for condition in conditions for part in condition.parts() if isinstance(part, Has)]
    return {(part.question, option) for part in parts if part.question in page for option in part.options}


def may_visit(question: Question, answers: Answers) -> bool:
    """Whether everything before the screen of this question is answered or skipped.

    In an emergency nothing more is asked: only what brought it about may be changed.
    """
    evaluation = evaluate(answers)
    if evaluation.lane is Lane.EMERGENCY:
        return question in questions_behind(evaluation, answers)
    if not is_asked(question, answers):
        return False
    upcoming = next_question(answers)
    return upcoming is None or _position(question) <= _position(upcoming)


def progress(question: Question, answers: Answers) -> tuple[int, int]:
    """Which of how many screens this is, for this person."""
    screens = screens_for(answers) or list(SCREENS)
    screen = screen_of(question)
    number = screens.index(screen) + 1 if screen in screens else len(screens)
    return number, len(screens)


def question_before(question: Question) -> Question | None:
    """The first question of the screen before, or of the same screen for one that comes alone."""
    screen = screen_of(question)
    if question is not screen.questions[0]:
        return screen.questions[0]
    position = SCREENS.index(screen)
    return SCREENS[position - 1].questions[0] if position else None


def questions_behind(evaluation: Evaluation, answers: Answers) -> list[Question]:
    """The questions whose answers brought an emergency about: these may be changed, and only these."""
    parts = [part for rule in evaluation.fired for part in rule.when.parts() if isinstance(part, Has)]
    ids = {part.question for part in parts if part.options & answers.get(part.question, NOTHING)}
    return [question for question in QUESTIONS.values() if question.id in ids]


def safety_screens_done(answers: Answers) -> bool:
    """Whether the screens that look for danger are behind this person."""
    return all(question.id in answers for question in SAFETY_QUESTIONS)


def reading_minutes() -> int:
    """How long somebody needs who reads every line at 230 words a minute and thinks a second over each option."""
    seconds = 0.0
    for question in QUESTIONS.values():
        lines = [question.words, question.hint, *(f"{option.words} {option.hint}" for option in question.options)]
        seconds += sum(len(line.split()) for line in lines) / 230 * 60 + len(question.options)
    return ceil(seconds / 60)


def screen_of(question: Question) -> Screen:
    """The screen on which the question stands."""
    return next(screen for screen in SCREENS if question in screen.questions)


def _position(question: Question) -> int:
    return SCREENS.index(screen_of(question))
