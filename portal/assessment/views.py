"""`/assessment/`: start, one page a screen, check the answers, result."""

from __future__ import annotations

from functools import partial
from itertools import chain
from typing import Any

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment import advice, flow, services
from portal.assessment.answers import Answers, is_skipped, transcribe
from portal.assessment.forms import QuestionsForm, build_form
from portal.assessment.queries import has_begun_check
from portal.assessment.questionnaire import QUESTIONS, RED_FLAGS, Question
from portal.assessment.retention import KEEP_UNBOOKED_FOR
from portal.assessment.rules import Lane
from portal.assessment.triage import evaluate
from portal.core.addresses import split_address
from portal.core.compression import say_nothing_asked
from portal.core.htmx import go_on, leave, render, render_alike
from portal.referrals import journeys
from portal.referrals.services import PAGE_PATH

blueprint = Blueprint("assessment", __name__, url_prefix="/assessment")
PAGE = "assessment/question.html", "step"


@blueprint.get("/")
def show_start() -> Response:
    answers = _answers()
    return render(
        "assessment/start.html",
        red_flags=[option for option in RED_FLAGS.options if option.id not in {"none", "self_harm"}],
        article=_article_before(),
        begun=bool(answers),
        keep_days=KEEP_UNBOOKED_FOR.days,
        minutes=flow.reading_minutes(),
    )


@blueprint.post("/")
def start() -> AnyResponse:
    journey_id = journeys.ensure(article=request.form.get("article", "")[:80] or None)
    if not services.start_over(journey_id):
        return redirect(url_for(".show_result"), 303)
    return redirect(url_for(".show_question", question_id=RED_FLAGS.id), 303)


@blueprint.get("/continue")
def continue_() -> AnyResponse:
    return redirect(_next_page(_answers()), 303)


@blueprint.get("/<question_id>")
def show_question(question_id: str) -> AnyResponse:
    question = _question_or_404(question_id)
    answers = _answers()
    if not flow.may_visit(question, answers):
        return redirect(_next_page(answers), 303)
    return _show_question(question, answers)


@blueprint.post("/<question_id>")
def answer_question(question_id: str) -> AnyResponse:
    question = _question_or_404(question_id)
    journey_id = journeys.current()
    begun = services.find_answers(journey_id)
    answers = begun or {}
    if not flow.may_visit(question, answers):
        return leave(_next_page(answers))
    form = _form(question, answers, skipping="skip" in request.form)
    if not form.validate():
        return render(*PAGE, 422, **_describe_page(question, answers, form), outcome="invalid")
    given = form.given_answers()
    if journey_id is None or begun is None:
        journey_id = journeys.ensure()
    elif question is RED_FLAGS and question.id in answers and not has_begun_check(journey_id):
        # A booking has asked it, and goes on.
        services.record_safety(journey_id, given[RED_FLAGS.id])
        return leave(url_for("booking.choose_slot"))
    record = services.record_first_answers if answers.keys().isdisjoint(given) else services.record_answers
    return _go_on(question, record(journey_id, given))


@blueprint.get("/danger")
def check_danger() -> AnyResponse:
    """The warning signs that were ticked, said once more: a slip of the thumb must not end in an ambulance."""
    ticked = _answers().get(RED_FLAGS.id, frozenset()) - {"none"}
    if not ticked:
        return redirect(url_for(".continue_"), 303)
    return render(
        "assessment/danger.html",
        ticked=[option for option in RED_FLAGS.options if option.id in ticked],
        self_harm="self_harm" in ticked,
        outcome=Lane.EMERGENCY.outcome,
    )


@blueprint.post("/danger")
def confirm_danger() -> AnyResponse:
    """What the page asked about is said to be there now, whatever another window has answered since."""
    ticked = RED_FLAGS.option_ids & {*request.form.getlist(RED_FLAGS.id)} - {"none"}
    if not ticked:
        return redirect(url_for(".check_danger"), 303)
    services.confirm_signs(journeys.ensure(), ticked)
    return redirect(url_for(".show_result"), 303)


@blueprint.get("/check")
def check_answers() -> AnyResponse:
    answers = _answers()
    if evaluate(answers).lane is Lane.EMERGENCY or flow.next_question(answers) is not None:
        return redirect(_next_page(answers), 303)
    given = zip(
        [question for question in QUESTIONS.values() if question.id in answers], transcribe(answers), strict=True
    )
    return render("assessment/check.html", given=[(question, words) for question, (_, words) in given])


@blueprint.post("/check")
def finish() -> AnyResponse:
    journey_id = journeys.current()
    if services.must_ask_signs_again(journey_id):
        return redirect(_address_of(RED_FLAGS, returning=True), 303)
    if journey_id is None or not services.finish(journey_id):
        return redirect(_next_page(_answers()), 303)
    return redirect(url_for(".show_result"), 303)


@blueprint.get("/result")
def show_result() -> AnyResponse:
    assessment = services.get_current(journeys.current())
    if assessment is None:
        return redirect(url_for(".show_start"), 303)
    answers = services.answers_of(assessment)
    evaluation = evaluate(answers)
    finished = assessment.finished_at is not None
    if not finished and evaluation.lane.may_book:
        return redirect(_next_page(answers), 303)
    return render(
        f"assessment/result_{evaluation.lane}.html",
        evaluation=evaluation,
        calls=advice.emergency_calls(
            answers.get(RED_FLAGS.id, frozenset()), another_danger=any(rule.because for rule in evaluation.fired)
        ),
        under_18="under_18" in answers.get("age_band", ()),
        behind=flow.questions_behind(evaluation, answers),
        skipped=[question for question in flow.SAFETY_QUESTIONS if is_skipped(question.id, answers)],
        next_page=None if finished else _next_page(answers),
        is_over=services.is_over(assessment, evaluation, answers),
        is_clear=services.is_clear(assessment, evaluation, answers),
        elsewhere=all(advice.BY_PATTERN[id].first_stop_elsewhere for id in evaluation.fits),
        advice=advice,
        outcome=evaluation.lane.outcome,
    )


def _go_on(question: Question, answers: Answers) -> AnyResponse:
    lane = evaluate(answers).lane
    if lane is Lane.EMERGENCY:
        if question is RED_FLAGS:
            return leave(url_for(".check_danger"))
        services.finish(journeys.ensure())
        return leave(url_for(".show_result"))
    done_with_safety = question in flow.SAFETY_QUESTIONS and flow.safety_screens_done(answers)
    if lane is Lane.SAME_DAY and done_with_safety and not _returning():
        return leave(url_for(".show_result"))
    if flow.next_question(answers) is None:
        return leave(url_for(".check_answers"))
    return go_on(_next_page(answers), lambda: _render_next(answers))


def _render_next(answers: Answers) -> Response:
    upcoming = flow.next_question(answers)
    assert upcoming is not None
    say_nothing_asked()
    return _show_question(flow.page_of(upcoming, answers), answers)


def _next_page(answers: Answers) -> str:
    if evaluate(answers).lane is Lane.EMERGENCY:
        return url_for(".show_result")
    upcoming = flow.next_question(answers)
    if upcoming is None:
        return url_for(".check_answers")
    return _address_of(flow.page_of(upcoming, answers), _returning())


def _address_of(question: Question, returning: bool) -> str:
    values = {"question_id": question.id, **({"return": "check"} if returning else {})}
    return url_for(".show_question", **values)  # type: ignore[arg-type]


def _show_question(question: Question, answers: Answers) -> Response:
    """The page of a question; while nothing on it is answered, the same for all who have come as far."""
    asked, opened = flow.questions_on_page(question, answers), flow.revealed_on_page(question, answers)
    on_page = tuple(other.id for other in asked), tuple(other.id for other in opened)
    describe = partial(_describe_page, question, answers)
    if not answers.keys().isdisjoint(chain(*on_page)):
        return render(*PAGE, **describe())
    return render_alike(*PAGE, (*on_page, *flow.progress(question, answers), _returning()), describe)


def _describe_page(question: Question, answers: Answers, form: QuestionsForm | None = None) -> dict[str, Any]:
    number, count = flow.progress(question, answers)
    return {
        "question": question,
        "form": form or _form(question, answers, formdata=None),
        "revealing": flow.revealing_options(question, answers),
        "number": number,
        "count": count,
        "back": _page_before(question, answers),
        "returning": _returning(),
    }


def _form(question: Question, answers: Answers, skipping: bool = False, **how: Any) -> QuestionsForm:
    asked = flow.questions_on_page(question, answers)
    return build_form(asked, flow.revealed_on_page(question, answers), answers, skipping, **how)


def _page_before(question: Question, answers: Answers) -> str:
    if _returning():
        return url_for(".check_answers")
    before = flow.question_before(question)
    return url_for(".show_question", question_id=before.id) if before else url_for(".show_start")


def _answers() -> Answers:
    return services.find_answers(journeys.current()) or {}


def _question_or_404(question_id: str) -> Question:
    return QUESTIONS.get(question_id) or abort(404)


def _returning() -> bool:
    return request.args.get("return") == "check"


def _article_before() -> str | None:
    """The article or treatment that led here, by the referrer that our own pages send to our own pages."""
    parts = split_address(request.referrer)
    found = PAGE_PATH.fullmatch(parts.path) if parts.netloc == request.host else None
    return found[1] if found else None
