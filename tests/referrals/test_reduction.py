"""After 90 days a journey without a booking is a count, and the ledger says the same as before."""

from datetime import date, timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select

from portal.assessment.retention import UNFINISHED, WITHOUT_VISIT
from portal.booking.models import BookingDraft, PatientRequest
from portal.core import retention
from portal.core.db import db
from portal.referrals import ledger
from portal.referrals.models import DailyCount, Journey, Milestone
from portal.referrals.reduction import RULE
from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines


def purge_answers():
    for rule in (UNFINISHED, WITHOUT_VISIT):
        retention.purge(rule)


@pytest.fixture
def people(app, clock):
    """Two who only look, one who holds a time and asks for a call, one who books."""
    for code in ("leaflet", "leaflet"):
        Visitor(app).open(f"/r/{code}")
    asks = Visitor(app)
    asks.open("/r/partner")
    asks.pass_safety()
    asks.hold()
    asks.open("/request/call-back")
    asks.send(name="Ann Poe", phone="212 555 0188")
    books = Visitor(app)
    books.open("/r/leaflet")
    books.pass_safety()
    assert books.book().outcome == "booked"


@pytest.fixture
def later(app, people, clock):
    clock.shift(timedelta(days=91))
    with app.app_context():
        purge_answers()


def read(by):
    found = ledger.read_ledger(date(2026, 11, 1), date(2026, 12, 1), by)
    return found.groups, found.aside


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_only_journeys_with_a_booking_are_left_and_the_ledger_says_the_same(app, later):
    with app.app_context():
        before = {by: read(by) for by in ledger.GROUPINGS}
        assert retention.purge(RULE) == 3
        assert [journey.link_code for journey in db.session.scalars(select(Journey))] == ["leaflet"]
        assert {by: read(by) for by in ledger.GROUPINGS} == before
        assert before["link"][0]["leaflet"].people == 3
        assert count(Milestone) == 5
        assert count(BookingDraft) == 0
        assert db.session.scalars(select(PatientRequest.journey_id)).all() == [None]
        assert {row.count for row in db.session.scalars(select(DailyCount))} == {1, 2}


def test_again_and_before_its_time_it_changes_nothing(app, people, clock):
    with app.app_context():
        clock.shift(timedelta(days=90))
        assert retention.purge(RULE) == 0
        clock.shift(timedelta(days=1))
        purge_answers()
        assert (retention.purge(RULE), retention.purge(RULE)) == (3, 0)


def test_two_workers_at_once_count_each_journey_once(app, later):
    def work():
        with app.app_context():
            retention.purge(RULE)

    workers = [Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    with app.app_context():
        assert db.session.scalar(select(func.sum(DailyCount.count))) == 3
        assert count(Journey) == 1


def test_an_assessment_that_is_kept_keeps_its_journey(app, people, clock):
    with app.app_context():
        clock.shift(timedelta(days=91))
        assert retention.purge(RULE) == 2  # the third still has answers, which go after a month by themselves
