"""A browser can be a family's: what one person has answered never goes to the clinic with the visit of another."""

import pytest
from sqlalchemy import select

from portal.assessment.services import answers_of
from portal.booking.models import Appointment
from portal.core.db import db
from tests.assessment.test_walk import NECK

CHILD = {"name": "Ann Doe", "date_of_birth": "6/6/2019", "email": "ann@example.com"}
FATHER = {"name": "John Doe", "date_of_birth": "4/4/1985", "email": "john@example.com"}

pytestmark = pytest.mark.both_engines


def visits(app):
    """Of each visit the name, and how many questions were answered about it."""
    with app.app_context():
        rows = db.session.scalars(select(Appointment).order_by(Appointment.created_at))
        return [(visit.patient.name, len(answers_of(visit.assessment))) for visit in rows]


@pytest.mark.parametrize("who", [CHILD, FATHER])
def test_who_books_for_another_after_the_own_visit_is_asked_about_that_person(app, visitor, clock, who):
    visitor.finish(**NECK)
    assert visitor.book().outcome == "booked"
    page = visitor.book(**who)
    assert (page.status, page.outcome, page.heading) == (409, "invalid", "Is the visit for somebody else?")
    assert visitor.send().path == "/book/safety"
    assert visitor.send(red_flags_now="none").path == "/book/check"
    assert visitor.send().outcome == "booked"
    (_, own), (name, others) = visits(app)
    assert (own > 10, name, others) == (True, who["name"], 1)


def test_a_sign_of_the_person_who_comes_leads_to_the_emergency_page(visitor):
    visitor.finish(**NECK)
    visitor.book(**CHILD)
    visitor.send()
    assert visitor.send(red_flags_now="neuro").outcome == "emergency"


def test_a_wrong_year_is_corrected_and_nothing_is_asked_again(app, visitor):
    visitor.finish(**NECK)
    assert visitor.book(date_of_birth="5/17/2019").status == 409
    visitor.open(visitor.page.link("/book/details"))
    assert visitor.send(date_of_birth="5/17/1980").path == "/book/check"
    assert visitor.send().outcome == "booked"
    assert visits(app)[0][1] > 10


@pytest.mark.parametrize(
    ("asked_as", "comes", "has_booked", "brings_the_check"),
    [
        ("Ann Doe", CHILD, False, False),  # another age was answered
        ("Mary Doe", FATHER, False, False),  # another name was given
        ("John", FATHER, True, False),  # the check went to the clinic with another's visit
        ("John", FATHER, False, True),
    ],
)
def test_a_visit_by_phone_on_a_request_of_that_browser_comes_with_the_check_only_where_it_can_be_of_who_comes(
    app, visitor, desk, diary, asked_as, comes, has_booked, brings_the_check
):
    visitor.finish(**NECK)
    if has_booked:
        assert visitor.book().outcome == "booked"
    visitor.open("/request/call-back")
    visitor.send(name=asked_as, phone="646 555 0111")
    desk.open(desk.open("/desk/requests").link("/desk/book?request="))
    call = next(form for form in desk.page.forms if form.action == "/desk/book")
    slot = diary.slot_at("2026-11-30 09:00")
    assert desk.send(call, step="book", slot=slot, red_flags_now="none", **comes).outcome == "booked"
    name, answered = visits(app)[-1]
    assert (name, answered > 1) == (comes["name"], brings_the_check)
