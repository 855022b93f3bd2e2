"""Cancelling at the desk: for whom, what becomes of the time, and the way back."""

from datetime import datetime

import pytest
from sqlalchemy import select

from portal.booking import waitlist
from portal.booking.models import Offer
from portal.notifications.services import UNDO_WINDOW
from portal.scheduling.changes import close
from portal.scheduling.models import Closure, Slot, SlotState
from portal.scheduling.remake import open_slots
from tests.frontdesk.pressing import BEGINS, DAY, LATER
from tests.visitor import Visitor


def test_cancelling_needs_to_know_for_whom_and_keeps_what_was_typed(made):
    page = made.press("/cancel", words="Clinician is ill")
    assert (page.status, page.errors) == (422, ["Choose who cancels."])
    assert "Clinician is ill" in page.text
    page = made.press("/cancel", reason="clinician", words="Clinician is ill")
    assert made.visit.status == "cancelled"
    assert "Clinician is ill" in page.text
    made.press("/undo")
    assert made.visit.status == "booked"


@pytest.fixture
def waiting(app, book):
    """Somebody with a later visit waits for an earlier time."""
    person = Visitor(app)
    person.open(f"{book(LATER)[0]}/earlier")
    person.send()


@pytest.mark.usefixtures("waiting")
@pytest.mark.both_engines
@pytest.mark.parametrize(
    ("path", "values"), [("cancel", {"reason": "patient"}), ("move", {"slot": "2026-11-20 10:00"})]
)
def test_a_time_that_the_desk_frees_is_offered_to_nobody_until_its_undoing_is_over(
    made, diary, app, clock, path, values
):
    values = {name: diary.slot_at(value) if name == "slot" else value for name, value in values.items()}
    made.try_(path, version="1", **values)
    assert tend(app) == 0
    made.press("/undo")
    assert (made.visit.status, str(made.visit.slot_id)) == ("booked", diary.slot_at(BEGINS))
    made.try_(path, version=str(made.visit.version), **values)
    clock.shift(UNDO_WINDOW)
    assert tend(app) == 1
    assert diary.scalar(select(Offer.slot_id)) == int(diary.slot_at(BEGINS))


def tend(app):
    """As the worker does each minute; how many times were offered."""
    with app.app_context():
        return waitlist.tend()


@pytest.mark.usefixtures("waiting")
@pytest.mark.both_engines
@pytest.mark.parametrize(("who", "offered"), [("clinician", 0), ("clinic", 0), ("patient", 1)])
def test_the_time_of_a_visit_that_we_cancel_is_offered_to_nobody(made, diary, app, clock, who, offered):
    made.press("/cancel", reason=who)
    with app.app_context():
        open_slots()  # as the worker does each hour
    clock.shift(UNDO_WINDOW)
    tend(app)
    assert diary.count(Slot, Slot.id == made.visit.slot_id, Slot.offered) == offered
    assert diary.count(Offer) == offered


def test_in_a_day_that_is_closed_already_cancelling_closes_nothing_more(made, diary, app):
    with app.app_context():
        close(Closure(starts=datetime(2026, 11, 20), ends=datetime(2026, 11, 21), reason="Clinician is ill"))
    made.press("/cancel", reason="clinician")
    assert made.visit.status == "cancelled"
    assert diary.count(Closure, Closure.starts >= datetime(2026, 11, 20), Closure.starts < datetime(2026, 11, 21)) == 1


@pytest.mark.both_engines
def test_a_visit_that_we_cancelled_by_mistake_gets_its_time_back(made, diary):
    made.press("/cancel", reason="clinician")
    assert "Visit cancelled by the clinic" in made.person.open(f"/desk/day/{DAY}").text
    made.look()
    made.press("/undo")
    assert made.visit.status == "booked"
    assert diary.count(Slot, Slot.id == made.visit.slot_id, Slot.offered, Slot.state == SlotState.BOOKED) == 1
    assert "Visit cancelled by the clinic" not in made.person.open(f"/desk/day/{DAY}").text


@pytest.mark.both_engines
def test_a_cancelled_visit_is_not_taken_up_again_in_a_time_that_was_closed_and_given_away(made, diary, book):
    made.press("/cancel", reason="patient")
    book(BEGINS)
    assert "Its time is taken by now" in made.press("/undo").text


def test_a_cancelled_visit_that_stands_again_after_it_has_begun_is_not_mailed_as_booked(made, sent, at):
    made.press("/cancel", reason="patient")
    at(BEGINS, made)
    sent()
    before = sent()
    made.press("/undo")
    assert made.visit.status == "booked"
    assert sent() == before
