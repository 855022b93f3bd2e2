"""A clinician who has all the visits of a day there may be has no free time on it, on any board."""

import pytest
from sqlalchemy import select, update

from portal.booking.models import Appointment
from portal.core.db import db
from portal.scheduling.models import Provider
from tests.frontdesk.test_board import FRIDAY, words_of

pytestmark = pytest.mark.both_engines


@pytest.fixture
def full(app, book):
    """The visit with which Ada's Friday is full."""
    with app.app_context():
        db.session.execute(update(Provider).where(Provider.code == "ada").values(daily_cap=1))
        db.session.commit()
    reference = book(f"{FRIDAY} 09:00")[1]
    with app.app_context():
        return db.session.scalar(select(Appointment.id).where(Appointment.reference == reference))


def test_the_day_says_so_and_leads_to_none_of_its_times(desk, full):
    page = desk.open(f"/desk/day/{FRIDAY}")
    assert (words_of(page, "free"), len(words_of(page, "full"))) == ([], 3)
    assert words_of(page, "full")[0] == "10:00 day is full First consult"
    assert "1 visit, 0 free" in page.text
    assert "data-slot" not in page.text
    assert len(words_of(desk.open("/desk/day/2026-11-23"), "free")) > 3


def test_the_week_and_the_month_count_none(desk, full):
    week = desk.open(f"/desk/week/{FRIDAY}")
    assert "Person Number 1" in week.text
    assert f"/desk/day/{FRIDAY}#time-" not in week.text
    assert f'class="heat-0" href="/desk/day/{FRIDAY}"' in desk.open("/desk/month/2026-11").text


def test_the_visit_that_fills_it_can_still_move_within_it(desk, full):
    assert desk.open(f"/desk/day/{FRIDAY}?moving={full}").text.count("move here") == 3
    week = desk.open(f"/desk/week/{FRIDAY}?moving={full}")
    assert week.text.count('<button name="slot"') >= 3


def test_its_times_can_be_blocked(desk, full):
    page = desk.open(f"/desk/day/{FRIDAY}?times=1")
    assert page.text.count('type="checkbox" form="block-times"') == 3
