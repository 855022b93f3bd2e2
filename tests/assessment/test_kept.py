"""What is kept of an assessment, for how long, and what the owner may count."""

from datetime import timedelta

from sqlalchemy import select, update

from portal.accounts.services import StaffRole
from portal.assessment.models import Assessment
from portal.assessment.services import purge
from portal.core.db import db
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
        assert purge() == 0
    clock.shift(timedelta(days=2))
    with app.app_context():
        assert purge() == 1
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


def test_the_owner_sees_where_people_stop_as_counts(app, staff):
    stopped, finished = Visitor(app), Visitor(app)
    stopped.open("/assessment/")
    stopped.send()
    for _ in range(3):
        stopped.answer_page(NECK)
    finished.finish(**NECK)
    manager = staff(StaffRole.MANAGER)
    rows = manager.open("/desk/drop-off").text.split("<tr>")
    assert "<td>2</td><td>1</td>" in rows[4]  # the third screen: two answered it, one stopped after it
    assert "<td>1</td><td>0</td>" in rows[5]
    assert staff(StaffRole.FRONT_DESK).open("/desk/drop-off").status == 403
