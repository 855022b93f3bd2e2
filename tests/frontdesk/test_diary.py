"""Closures and availability at the desk: shown before they are done, the diary follows at once."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

from benchmarks.stored import note_queries
from portal.accounts.services import StaffRole
from portal.core.db import db
from portal.scheduling.models import Availability, Provider, Slot, SlotState, VisitType

DAY = "2026-11-20"


def count_offered(app, day=DAY):
    with app.app_context():
        return db.session.scalar(
            select(func.count()).select_from(Slot).where(Slot.day == date.fromisoformat(day), Slot.offered)
        )


def fill(person, path, **values):
    """Fill in the form that leads there, and make what it shows where that is wanted."""
    form = form_to(person.page, path)
    if values.pop("confirmed", False):
        return person.send_and_confirm(form, **values)
    return person.send(form, **values)


def form_to(page, path):
    """The form that leads there; the first one of each desk page is that for signing out."""
    return next(form for form in page.forms if form.action.endswith(path))


def close(person, **values):
    return fill(person, "/closures", **{"first": DAY, "reason": "Ill", **values})


@pytest.fixture
def booked(visitor):
    """A visit on that day."""
    visitor.pass_safety()
    visitor.open(f"/book/?day={DAY}")
    return visitor.book(visitor.free_slots()[0])


def test_a_closure_is_shown_first_with_the_visits_it_hits_and_then_closes_the_day(desk, app, booked):
    assert count_offered(app) == 4
    desk.open("/desk/closures")
    page = close(desk)
    assert "4 free times are withdrawn" in page.text
    assert "1 visit stands in this time" in page.text
    assert "Jane Doe" in page.text
    assert count_offered(app) == 4  # looked at, not done
    page = close(desk, confirmed="yes")
    assert "1 still to be moved" in page.text
    assert "1 visit left to move" in page.text
    assert "Jane Doe" in desk.open(page.link("moving=")).text  # picked up, to be put down elsewhere
    desk.open("/desk/closures")
    assert count_offered(app) == 0
    with app.app_context():
        assert db.session.scalar(select(func.count()).where(Slot.state == SlotState.BOOKED)) == 1  # nobody is dropped
    fill(desk, "/reopen")
    assert count_offered(app) == 4


def test_what_is_changed_after_it_was_shown_is_shown_before_it_is_closed(desk, app, booked):
    desk.open("/desk/closures")
    assert "1 visit stands in this time" in close(desk).text
    page = desk.send(form_to(desk.page, "/closures"), first="2026-11-23", confirmed="yes")
    assert (page.status, page.path, count_offered(app)) == (200, "/desk/closures", 4)
    assert "No visit stands in this time" in page.text
    assert "Closed: " not in page.text
    assert "Closed: " in close(desk, first="2026-11-23", confirmed="yes").text


def test_a_closure_of_another_year_says_which(desk):
    desk.open("/desk/closures")
    close(desk, first="2027-01-01", reason="New Year", confirmed="yes")
    close(desk, first="2026-12-24", reason="Christmas", confirmed="yes")
    page = desk.open("/desk/closures")
    assert "<p>Fri, Jan 1, 2027</p>" in page.text
    assert "<p>Thu, Dec 24</p>" in page.text


def test_a_closure_says_of_whom_and_of_which_place_it_is(desk, at):
    desk.open("/desk/closures")
    for of in ({}, {"provider": "1"}, {"location": "1"}, {"provider": "1", "location": "1"}):
        close(desk, **of, confirmed="yes")
    to_come = desk.open("/desk/closures").text
    at("2026-11-21 09:00")
    for page in (to_come, desk.open("/desk/closures").text):
        tags = set(re.findall('<span class="tag">(.*?)</span>', page))
        assert tags == {"whole clinic", "Ada Test, MD", "East", "Ada Test, MD · East"}


def test_the_visits_that_a_closure_hits_are_read_together(desk, booked):
    desk.open("/desk/closures")
    with note_queries() as sent:
        close(desk)
        close(desk, confirmed="yes")
        desk.open("/desk/closures")
    assert "1 still to be moved" in desk.page.text
    assert [query for query in sent if "patient.id = ?" in query or "slot.id = ?" in query] == []


def test_a_hold_in_a_closed_time_ends_and_its_holder_is_offered_others(desk, app, visitor):
    visitor.pass_safety()
    visitor.open(f"/book/?day={DAY}")
    visitor.hold(visitor.free_slots()[0])
    desk.open("/desk/closures")
    close(desk, confirmed="yes")
    page = visitor.fill_in()
    assert (page.status, page.outcome) == (409, "taken")
    assert visitor.free_slots()


@pytest.mark.both_engines
def test_a_closure_sent_twice_is_one_so_that_reopening_it_opens_the_day(desk, app):
    desk.open("/desk/closures")
    before = [form.action for form in desk.page.forms]
    for _ in range(2):
        close(desk, confirmed="yes")
    assert count_offered(app) == 0
    (reopen,) = (form for form in desk.page.forms if form.action not in before)
    desk.send(reopen)
    assert count_offered(app) == 4


def test_lunch_comes_again_on_every_working_day(desk, app):
    desk.open("/desk/closures")
    lunch = {"first": "2026-11-19", "last": "2026-11-23", "opens": "12:00", "closes": "13:00", "weekdays": "daily"}
    page = close(desk, **lunch, confirmed="yes")
    assert "12:00 pm to 1:00 pm, again each working day from Thu, Nov 19 until Mon, Nov 23" in page.text
    assert count_offered(app) == 3
    assert count_offered(app, "2026-11-23") == 5  # three in the morning, two in the afternoon
    assert count_offered(app, "2026-12-04") == 4  # after the last day


def test_it_is_closed_from_an_hour_of_one_day_until_an_hour_of_another(desk, app):
    desk.open("/desk/closures")
    page = close(desk, last="2026-11-23", opens="11:00", closes="10:00", confirmed="yes")
    assert "Fri, Nov 20, 11:00 am to Mon, Nov 23, 10:00 am" in page.text
    assert [count_offered(app, day) for day in (DAY, "2026-11-23")] == [2, 5]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"first": ""}, "Enter the first day that is closed."),
        ({"last": "2026-11-01"}, "The last day must not be before the first."),
        ({"opens": "10:00"}, "Enter both times, from and until, or neither."),
        ({"opens": "10:00", "closes": "09:00"}, "The closed time must end after it begins."),
        (
            {"last": "2026-11-27", "opens": "13:00", "closes": "12:00", "weekdays": "daily"},
            "The closed time must end after it begins.",
        ),
        (
            {"opens": "12:00", "closes": "13:00", "weekdays": "daily"},
            "Enter the last day too, until which it comes again.",
        ),
        ({"reason": ""}, "Say why, for your colleagues."),
        ({"first": "yesterday"}, "Write the day like 2026-11-23."),
    ],
)
def test_a_closure_that_makes_no_sense_is_explained_and_nothing_is_lost(desk, wrong, message):
    desk.open("/desk/closures")
    page = close(desk, **wrong)
    assert page.status == 422
    assert page.errors == [message]
    assert next(form for form in page.forms if "reason" in form.values).values["reason"] == [wrong.get("reason", "Ill")]


class TestAvailability:
    @pytest.fixture
    def manager(self, staff):
        manager = staff(StaffRole.MANAGER)
        manager.open("/desk/availability")
        return manager

    @pytest.fixture
    def new(self, app):
        """Ada sees new patients on Thursdays from 9 to 12 too."""
        with app.app_context():
            ada = db.session.scalar(select(Provider.id).where(Provider.code == "ada"))
            new = db.session.scalar(select(VisitType.id).where(VisitType.code == "new"))
        return {
            "provider": str(ada),
            "location": "1",
            "visit_type": str(new),
            "weekday": "TH",
            "rhythm": "FREQ=WEEKLY",
            "opens": "09:00",
            "closes": "12:00",
            "valid_from": "2026-11-19",
        }

    def test_it_is_shown_first_and_then_offered(self, manager, app, new):
        page = fill(manager, "/availability", **new)
        assert "What it does: 9 slots opened." in page.text
        assert count_offered(app, "2026-12-03") == 4  # Ben's phone visits, in the afternoon
        fill(manager, "/availability", **new, confirmed="yes")
        assert count_offered(app, "2026-12-03") == 7
        assert "every week: Thu" in manager.page.text

    def test_sent_twice_it_is_offered_once(self, manager, app, new):
        with app.app_context():
            before = db.session.scalar(select(func.count()).select_from(Availability))
        for _ in range(2):
            manager.open("/desk/availability")
            fill(manager, "/availability", **new, confirmed="yes")
        with app.app_context():
            assert db.session.scalar(select(func.count()).select_from(Availability)) == before + 1

    def test_ending_it_is_shown_first_and_then_withdraws_what_is_free_and_keeps_what_is_booked(
        self, manager, app, booked
    ):
        assert "What it does: 32 slots withdrawn." in fill(manager, "/1/end", last="2026-11-18").text
        assert count_offered(app) == 4  # looked at, not done
        fill(manager, "/1/end", last="2026-11-18", confirmed="yes")
        assert "Ended: 32 slots withdrawn." in manager.page.text
        assert count_offered(app) == 0
        with app.app_context():
            assert db.session.scalar(select(func.count()).where(Slot.state == SlotState.BOOKED)) == 1

    def test_it_does_not_end_before_its_first_day(self, manager, app):
        page = fill(manager, "/1/end", last="2025-01-09", confirmed="yes")
        assert (page.status, page.errors) == (422, ["The last day must not be before the first."])
        assert form_to(page, "/1/end").values["last"] == ["2025-01-09"]
        assert count_offered(app) == 4

    def test_what_somebody_else_changed_since_it_was_shown_is_not_ended(self, manager, app):
        fill(manager, "/1/end", last="2026-11-18")
        shown = form_to(manager.page, "/1/end")
        manager.open("/desk/availability/1")
        fill(manager, "/availability/1", opens="10:00", valid_from="2026-01-05", confirmed="yes")
        page = manager.send(shown, confirmed="yes")
        assert (page.status, count_offered(app)) == (409, 3)
        assert "Somebody else changed these times" in page.text
        fill(manager, "/1/end", confirmed="yes")
        assert count_offered(app) == 0

    def test_the_front_desk_does_not_change_what_is_offered(self, desk):
        assert desk.open("/desk/availability").status == 403
        assert not any("setup" in link for link in desk.open("/desk/").links)
