"""Record answers, finish an assessment, and say what its answers mean for booking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import ColumnElement, bindparam, select, update

from portal.assessment import flow
from portal.assessment.answers import Answers, is_skipped, parse, prune, to_json, transcribe
from portal.assessment.models import Assessment, ResumeLink
from portal.assessment.questionnaire import AGE_BAND, AGES, NONE, RED_FLAGS, SCREENS, VERSION
from portal.assessment.rules import Lane
from portal.assessment.triage import Evaluation, evaluate
from portal.core import allowed, clock
from portal.core.crypto import find_hashes, keyed_hash, new_code, new_token, token_hash
from portal.core.db import db, insert_once, run, transactional, transactional_for_now
from portal.core.limits import EVERYBODY, current_source, mailbox_key, spend
from portal.notifications.services import queue_mail
from portal.referrals.models import Journey
from portal.referrals.services import Reached, branch_journey, lock_journey, points_of, reach

RESUME_FOR = timedelta(days=7)
SIGNS_COUNT_FOR = timedelta(hours=24)  # what is so now may not be so tomorrow
NEWEST = (
    select(Assessment)
    .where(Assessment.journey_id == bindparam("journey_id"))
    .order_by(Assessment.revision.desc())
    .limit(1)
)
# A page that only shows answers needs no object that could be changed.
NEWEST_ANSWERS = NEWEST.with_only_columns(Assessment.id, Assessment.answers)
NEWEST_STANDING = NEWEST_ANSWERS.add_columns(
    Assessment.signs_answered_at, Assessment.started_at, Assessment.finished_at, Assessment.kept, Journey.reached
).join(Journey, Journey.id == Assessment.journey_id)
NEWEST_STATE = NEWEST_STANDING.add_columns(Assessment.revision, Assessment.furthest)
OF_IT = update(Assessment).where(Assessment.id == bindparam("of_assessment"))
NOTE_SIGNS = OF_IT.values(signs_answered_at=bindparam("moment"))
NOTE_ANSWERS = NOTE_SIGNS.values(answers=bindparam("its_answers"), furthest=bindparam("its_furthest"))
ITS_ANSWERS = ("questionnaire_version", "answers", "furthest", "started_at", "signs_answered_at")
ITS_RESULT = ("finished_at", "lane", "result")
KEEP = OF_IT.values(kept=True)


class Standing(NamedTuple):
    """Where a journey stands for booking: its lane, how soon, the assessment that says so, and where it has been.

    `ages` are those that the answers tell, in years; `kept` says that a visit refers to them; `knows_signs` that those
    of now are known; `is_over` that this is an emergency, or a day to see a doctor, that is past.
    """

    lane: Lane
    prompt: bool
    assessment_id: UUID
    reached: set[Reached]
    ages: range | None
    kept: bool
    knows_signs: bool
    is_over: bool


def get_current(journey_id: UUID | None) -> Assessment | None:
    """The newest revision of this journey's assessment, finished or not."""
    if journey_id is None:
        return None
    return db.session.scalar(NEWEST, {"journey_id": journey_id})


def get_assessment(assessment_id: UUID) -> Assessment | None:
    """The assessment of that id."""
    return db.session.get(Assessment, assessment_id)


def find_answers(journey_id: UUID | None) -> Answers | None:
    """What was answered so far on this journey; None where no assessment was begun."""
    if journey_id is None:
        return None
    row = run(NEWEST_ANSWERS, journey_id=journey_id).first()
    return None if row is None else parse(row.answers)


def answers_of(assessment: Assessment | None) -> Answers:
    """What was answered so far."""
    return parse(assessment.answers) if assessment else {}


def standing_of(journey_id: UUID | None) -> Standing | None:
    """Where the journey stands by its newest answers, finished or not.

    None while nothing is known about the warning signs of the first screen: it must be asked first.
    """
    row = run(NEWEST_STANDING, journey_id=journey_id).first() if journey_id else None
    answers = parse(row.answers) if row else {}
    if row is None or is_skipped(RED_FLAGS.id, answers):
        return None
    evaluation, told = evaluate(answers), next(iter(answers.get(AGE_BAND.id, ())), "")
    return Standing(
        lane=evaluation.lane,
        prompt=evaluation.prompt,
        assessment_id=row.id,
        reached=points_of(row.reached),
        ages=AGES.get(told),
        kept=row.kept,
        knows_signs=_is_of_today(row.signs_answered_at),
        is_over=is_over(row, evaluation, answers),
    )


def is_over(said: Any, evaluation: Evaluation, answers: Answers) -> bool:
    """Whether an assessment, or what was read of it, told on an earlier day to be seen at once or that day.

    Signs of now count from when they were answered last, all else from when the assessment ended.
    """
    if evaluation.lane.may_book:
        return False
    by_signs = RED_FLAGS in flow.questions_behind(evaluation, answers)
    answered_at = said.signs_answered_at if by_signs else None
    return not _is_of_today(answered_at or said.finished_at or said.started_at)


def is_clear(said: Any, evaluation: Evaluation, answers: Answers) -> bool:
    """Whether none of the signs is there by an answer of the day, and no other answer of the day stands against it.

    Who has been seen since need not be asked again then.
    """
    none_now = answers.get(RED_FLAGS.id, frozenset()) == frozenset({NONE}) and _is_of_today(said.signs_answered_at)
    return none_now and (evaluation.lane.may_book or is_over(said, evaluation, answers))


def must_ask_signs_again(journey_id: UUID | None) -> bool:
    """Whether a check that goes on after a day would end in a result by the signs of when it was begun."""
    current = get_current(journey_id)
    return current is not None and current.finished_at is None and not _is_of_today(current.signs_answered_at)


def _is_of_today(moment: datetime | None) -> bool:
    return moment is not None and moment > clock.now() - SIGNS_COUNT_FOR


@transactional
def record_answers(journey_id: UUID, given: Mapping[str, frozenset[str]]) -> Answers:
    """Add answers to the journey's assessment and return all it has now.

    Answers of branches that the new ones close are dropped. A finished assessment is left as it is and a
    new revision begun, unless nothing changes.
    """
    return _record(journey_id, given, of_check=True)


@transactional_for_now
def record_first_answers(journey_id: UUID, given: Mapping[str, frozenset[str]]) -> Answers:
    """As `record_answers`, where none of the questions had an answer: who loses one is asked again (decision 1)."""
    return _record(journey_id, given, of_check=True)


@transactional
def record_safety(journey_id: UUID, ticked: frozenset[str]) -> None:
    """As `record_answers`, for the first safety question where a booking asks it: that is not to begin the check."""
    _record(journey_id, {RED_FLAGS.id: ticked}, of_check=False)


def _record(journey_id: UUID, given: Mapping[str, frozenset[str]], of_check: bool) -> Answers:
    lock_journey(journey_id)
    current = run(NEWEST_STATE, journey_id=journey_id).first()
    before = parse(current.answers) if current else {}
    answers = prune({**before, **given})
    signs_answered_at = current.signs_answered_at if current else None
    if RED_FLAGS.id in given:
        signs_answered_at = clock.now()
    if current is None or (answers != before and _is_settled(current, given)):
        _start_revision(journey_id, current.revision + 1 if current else 1, answers, signs_answered_at)
    elif current.finished_at:
        run(NOTE_SIGNS, of_assessment=current.id, moment=signs_answered_at)
    else:
        noted = {"its_answers": to_json(answers), "its_furthest": max(current.furthest, _furthest(answers))}
        run(NOTE_ANSWERS, of_assessment=current.id, moment=signs_answered_at, **noted)
    if of_check and (current is None or not current.reached & Reached.ASSESSMENT_STARTED.bit):
        reach(journey_id, Reached.ASSESSMENT_STARTED)
    return answers


def _is_settled(current: Any, given: Mapping[str, frozenset[str]]) -> bool:
    """Whether that revision stays as it is: it is finished, or a visit was booked with what it says of the signs."""
    return current.finished_at is not None or (current.kept and RED_FLAGS.id in given)


@transactional
def finish(journey_id: UUID) -> bool:
    """Evaluate the journey's assessment once and for all; False while something is still to be asked.

    In an emergency nothing more is.
    """
    lock_journey(journey_id)
    current = get_current(journey_id)
    answers = answers_of(current)
    evaluation = evaluate(answers)
    if current is None or (evaluation.lane is not Lane.EMERGENCY and flow.next_question(answers) is not None):
        return False
    if current.finished_at is None:
        current.finished_at = clock.now()
        current.lane = evaluation.lane
        current.result = {**evaluation.to_json(), "transcript": transcribe(answers)}
        reach(journey_id, Reached.ASSESSMENT_FINISHED, lane=evaluation.lane)
    return True


@transactional
def confirm_signs(journey_id: UUID, ticked: frozenset[str]) -> None:
    """Note that these warning signs are there now, which is an emergency, and end the assessment with it."""
    _record(journey_id, {RED_FLAGS.id: ticked}, of_check=False)
    finish(journey_id)


@transactional
def start_over(journey_id: UUID) -> bool:
    """Begin an empty revision; what was answered before stays as it was, in its own.

    An emergency of today is not left so: False, and nothing is changed.
    """
    lock_journey(journey_id)
    if _stands_emergency(journey_id):
        return False
    if _start_empty(journey_id):
        reach(journey_id, Reached.ASSESSMENT_STARTED)
    return True


@transactional
def leave_answers(journey_id: UUID, same_person: bool = False) -> bool:
    """Let nothing be known of whoever goes on with this journey; what was answered before stays as it was.

    That the same person has none of the signs, asked since, is kept. An emergency of today is not left so: False,
    and nothing is changed.
    """
    lock_journey(journey_id)
    if _stands_emergency(journey_id):
        return False
    if not (same_person and _keep_signs_alone(journey_id)):
        _start_empty(journey_id)
    return True


def _stands_emergency(journey_id: UUID) -> bool:
    """Whether the newest answers are those of an emergency of today."""
    current = get_current(journey_id)
    answers = answers_of(current)
    evaluation = evaluate(answers)
    return evaluation.lane is Lane.EMERGENCY and not is_over(current, evaluation, answers)


def _keep_signs_alone(journey_id: UUID) -> bool:
    """Leave all but the signs of now, where none is there; False where they are to be asked."""
    current = get_current(journey_id)
    answers = answers_of(current)
    if current is None or not is_clear(current, evaluate(answers), answers):
        return False
    signs = {RED_FLAGS.id: answers[RED_FLAGS.id]}
    if answers != signs:
        _start_revision(journey_id, current.revision + 1, signs, current.signs_answered_at)
    return True


def _start_empty(journey_id: UUID) -> bool:
    lock_journey(journey_id)
    current = get_current(journey_id)
    if current is not None and not current.answers:
        return False
    _start_revision(journey_id, current.revision + 1 if current else 1, {})
    return True


@transactional
def send_resume_link(journey_id: UUID, email: str, key: str) -> None:
    """Mail a link and a code that lead back to this journey's assessment for seven days. Raises TooMany.

    The same key and address a second time send nothing; another address is a mistake that was corrected, so that
    what went to the one before leads back no more.
    """
    lock_journey(journey_id)
    link_id, token, code = uuid5(NAMESPACE_OID, f"{key} {email}"), new_token(), new_code(8)
    inserted = insert_once(
        ResumeLink,
        id=link_id,
        journey_id=journey_id,
        token_hash=token_hash(token),
        code_hash=hash_code(code),
        secrets={"email": email, "token": token, "code": code},
        expires_at=clock.now() + RESUME_FOR,
    )
    if not inserted:
        return
    _end_links_to_others(journey_id, email)
    queue_mail("resume", link_id, sequence=0)
    spend(
        (allowed.RESUME_MAILS, mailbox_key(email)),
        (allowed.MAILS_TO_MAILBOX, mailbox_key(email)),
        (allowed.RESUME_MAILS_OF_SOURCE, current_source()),
        (allowed.ALL_RESUME_MAILS, EVERYBODY),
    )


def _end_links_to_others(journey_id: UUID, email: str) -> None:
    valid = select(ResumeLink).where(ResumeLink.journey_id == journey_id, ResumeLink.expires_at > clock.now())
    for link in db.session.scalars(valid):
        if mailbox_key(link.secrets["email"]) != mailbox_key(email):
            link.expires_at = clock.now()


def find_resume_link(token: str) -> ResumeLink | None:
    """The link with this token in its address, as long as it is valid."""
    return _find_newest(ResumeLink.token_hash == token_hash(token))


def find_resume_link_by_code(typed: str) -> ResumeLink | None:
    """The link with this code, as long as it is valid; spaces, hyphens and case do not matter."""
    code = "".join(typed.split()).replace("-", "").upper()
    return _find_newest(ResumeLink.code_hash.in_([*find_hashes("resume code", code), token_hash(code)]))


def find_resume_link_of(journey_id: UUID | None) -> ResumeLink | None:
    """The link that was mailed last on this journey, as long as it is valid."""
    return _find_newest(ResumeLink.journey_id == journey_id)


@transactional
def go_on_apart(journey_id: UUID) -> UUID:
    """A journey of its own for another browser, with a copy of what this one has answered last.

    A link can be passed on: neither browser sees what is answered or booked in the other from here on.
    """
    branch_id, newest = branch_journey(journey_id), get_current(journey_id)
    if newest is not None:
        copied = {name: getattr(newest, name) for name in ITS_ANSWERS + ITS_RESULT}
        db.session.add(Assessment(journey_id=branch_id, revision=1, **copied))
    return branch_id


def _find_newest(wanted: ColumnElement[bool]) -> ResumeLink | None:
    valid = select(ResumeLink).where(wanted, ResumeLink.expires_at > clock.now())
    return db.session.scalar(valid.order_by(ResumeLink.expires_at.desc()).limit(1))


def hash_code(code: str) -> str:
    """What the database keeps of a code: one short enough to be typed could be tried out without a key."""
    return keyed_hash("resume code", code)


def get_resume_link(link_id: UUID) -> ResumeLink | None:
    """The link of that id, valid or not."""
    return db.session.get(ResumeLink, link_id)


@transactional
def keep_for_visit(assessment_id: UUID) -> None:
    """Keep an assessment beyond its month, as part of the record of a visit."""
    run(KEEP, of_assessment=assessment_id)


def _start_revision(
    journey_id: UUID, revision: int, answers: Answers, signs_answered_at: datetime | None = None
) -> None:
    assessment = Assessment(
        journey_id=journey_id,
        revision=revision,
        questionnaire_version=VERSION,
        answers=to_json(answers),
        furthest=_furthest(answers),
        started_at=clock.now(),
        signs_answered_at=signs_answered_at,
    )
    db.session.add(assessment)


def _furthest(answers: Answers) -> int:
    """The number of the last screen with an answer or a skip."""
    numbers = [number for number, screen in enumerate(SCREENS, 1) if screen.questions[0].id in answers]
    return max(numbers, default=0)
