"""What is kept of an assessment, for how long, and what the owner may count."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.accounts.services import StaffRole
from portal.assessment.models import Assessment
from portal.assessment.queries import count_drop_off
from portal.assessment.questionnaire import RED_FLAGS, VERSION
from portal.assessment.retention import UNFINISHED, WITHOUT_VISIT
from portal.assessment.services import go_on_apart, keep_for_visit, record_answers, record_safety, standing_of
from portal.core import clock as the_clock
from portal.core import retention
from portal.core.db import db
from portal.referrals.services import Reached, reach, start_journey
from tests.assessment.test_walk import NECK
from tests.visitor import Visitor


def kept(app):
    with app.app_context():
        return len(db.session.scalars(select(Assessment)).all())


def test_answers_are_deleted_after_a_month_unless_a_visit_was_booked(app, clock):
    booker, reader = Visitor(app), Visitor(app)
    booker.finish(**NECK)
    booker.book()
    reader.finish(**NECK)
    clock.shift(timedelta(days=29))
    with app.app_context():
        assert [retention.purge(rule) for rule in (UNFINISHED, WITHOUT_VISIT)] == [0, 0]
    clock.shift(timedelta(days=2))
    with app.app_context():
        assert [retention.purge(rule) for rule in (UNFINISHED, WITHOUT_VISIT)] == [0, 1]
    assert kept(app) == 1


def test_the_start_page_says_how_long_answers_are_kept_and_how_long_it_takes(visitor):
    text = visitor.open("/assessment/").text
    assert "deleted after 30 days" in text
    assert "6 minutes if you read every line" in text


def test_a_finished_assessment_stays_readable_when_the_questions_have_changed(visitor, app):
    visitor.finish(**NECK)
    with app.app_context():
        db.session.execute(update(Assessment).values(questionnaire_version="2020-01-01"))
        db.session.commit()
        result = db.session.scalars(select(Assessment)).one().result
    assert ["Which side is it on?", ["Always the same side"]] in result["transcript"]
    assert result["rules_version"]


def test_the_owner_sees_where_people_stop_as_counts_and_none_under_5(app, staff):
    with app.app_context():
        for furthest, finished, count in ((3, None, 7), (5, None, 2), (14, the_clock.now(), 6)):
            for _ in range(count):
                answers = {"answers": {}, "questionnaire_version": VERSION, "started_at": the_clock.now()}
                journey_id = start_journey()
                reach(journey_id, Reached.ASSESSMENT_STARTED)
                row = {"journey_id": journey_id, "revision": 1, "furthest": furthest, "finished_at": finished}
                db.session.add(Assessment(**answers, **row))
                db.session.commit()
    rows = staff(StaffRole.MANAGER).open("/desk/drop-off").text.split("<tr>")
    assert "<td>15</td><td>7</td>" in rows[4]  # the third screen: fifteen answered it, seven stopped after it
    assert "<td>8</td><td>under 5</td>" in rows[6]
    assert "<td>under 5</td><td>under 5</td>" in rows[7]  # six: but 8 less 6 would tell of two
    assert staff(StaffRole.FRONT_DESK).open("/desk/drop-off").status == 403


@pytest.mark.usefixtures("app_context", "clock")
def test_who_only_books_has_not_begun_the_check_and_who_books_on_the_way_has_not_stopped():
    no_sign = frozenset({"none"})
    for _ in range(6):
        record_safety(start_journey(), no_sign)
        journey_id = start_journey()
        record_answers(journey_id, {RED_FLAGS.id: no_sign})
        keep_for_visit(standing_of(journey_id).assessment_id)
        record_answers(start_journey(), {RED_FLAGS.id: no_sign})
    first = count_drop_off()[0]
    assert (first.answered, first.stopped) == (12, 6)


@pytest.mark.usefixtures("app_context", "clock")
def test_who_answers_on_after_the_safety_question_of_a_booking_has_begun_the_check():
    journey_id = start_journey()
    record_safety(journey_id, frozenset({"none"}))
    assert Reached.ASSESSMENT_STARTED not in standing_of(journey_id).reached
    record_answers(journey_id, {"age_band": frozenset({"18_49"})})
    assert Reached.ASSESSMENT_STARTED in standing_of(journey_id).reached


@pytest.mark.usefixtures("app_context", "clock")
def test_who_goes_on_in_other_browsers_has_answered_once():
    for _ in range(5):
        journey_id = start_journey()
        record_answers(journey_id, {RED_FLAGS.id: frozenset({"none"})})
        for _ in range(2):
            go_on_apart(journey_id)
    assert count_drop_off()[0].answered == 5
