"""What was said of warning signs counts for a day; who has been seen for them since can book."""

import pytest
from sqlalchemy import select

from portal.assessment.services import answers_of
from portal.booking.models import Appointment
from portal.core.db import db
from tests.assessment.test_walk import NECK

SAME_DAY = {**NECK, "age_band": "65_plus", "timeline": "new_weeks"}
BY_OTHER_ANSWERS = {"age_band": "65_plus", "headache_behaviour": ["jaw_chew", "vision_dim"]}
NEARLY_A_DAY, MORE_THAN_A_DAY = 24 * 3600 - 120, 25 * 3600

pytestmark = pytest.mark.both_engines


def seen_since(page):
    """The form at the end of a result, where it is offered."""
    return next((form for form in page.forms if form.action == "/book/anew"), None)


class TestSignsOfNow:
    def test_are_asked_about_again_the_next_day_and_only_they(self, visitor, clock):
        assert visitor.finish(**NECK).outcome == "consult"
        clock.shift(NEARLY_A_DAY)
        assert visitor.open("/book/").path == "/book/"
        clock.shift(240)
        assert visitor.open("/book/").path == "/book/safety"
        assert visitor.send(red_flags_now="none").path == "/book/"
        assert visitor.open("/assessment/result").outcome == "consult"  # all other answers stand
        assert visitor.book().outcome == "booked"

    def test_count_from_their_own_answer_and_no_other(self, visitor, clock):
        visitor.finish(**NECK)
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/assessment/age_band?return=check")
        visitor.send(age_band="50_64", next="1")
        assert visitor.open("/book/").path == "/book/safety"

    def test_of_now_outweigh_the_answer_of_the_day_before(self, visitor, clock):
        visitor.finish(**NECK)
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/book/")
        assert visitor.send(red_flags_now="neuro").outcome == "emergency"
        assert visitor.open("/book/").outcome == "emergency"

    def test_of_the_day_before_keep_nobody_from_booking_who_has_none_now(self, visitor, clock):
        visitor.open("/book/")
        visitor.send(red_flags_now="neuro")
        clock.shift(MORE_THAN_A_DAY)
        assert visitor.open("/book/").path == "/book/safety"
        assert visitor.send(red_flags_now="none").path == "/book/"

    def test_of_the_next_person_change_nothing_of_a_visit_that_is_booked(self, visitor, clock, app):
        visitor.pass_safety()
        visitor.book()
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/book/")
        assert visitor.send(red_flags_now="neuro").outcome == "emergency"
        with app.app_context():
            visit = db.session.scalars(select(Appointment)).one()
            assert answers_of(visit.assessment) == {"red_flags_now": {"none"}}


class TestAnEmergency:
    def test_shows_nothing_but_what_to_do_until_the_next_day(self, visitor, clock):
        visitor.answer(**BY_OTHER_ANSWERS)
        assert (visitor.open("/book/").outcome, seen_since(visitor.page)) == ("emergency", None)
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/book/")
        assert visitor.send(red_flags_now="none").outcome == "emergency"  # by the other answers
        assert visitor.send(seen_since(visitor.page)).path == "/book/safety"
        assert visitor.send(red_flags_now="none").path == "/book/"
        assert visitor.book().outcome == "booked"

    def test_that_is_said_once_more_is_of_now(self, visitor, clock):
        visitor.answer(red_flags_now="neuro")
        clock.shift(MORE_THAN_A_DAY)
        assert seen_since(visitor.open("/assessment/result"))
        visitor.open("/book/")
        assert visitor.send(red_flags_now="neuro").outcome == "emergency"
        assert seen_since(visitor.page) is None

    def test_of_an_earlier_day_has_a_way_on_however_often_it_was_asked_about(self, visitor, clock):
        visitor.answer(**BY_OTHER_ANSWERS)
        for answer in ("neuro", "none", "none"):
            clock.shift(MORE_THAN_A_DAY)
            visitor.open("/book/")
            assert visitor.send(red_flags_now=answer).outcome == "emergency"
        assert seen_since(visitor.page)

    def test_of_now_is_left_by_no_button_of_an_old_tab(self, visitor):
        visitor.finish(**SAME_DAY)
        button = seen_since(visitor.page)
        visitor.open("/assessment/red_flags_now")
        visitor.send(red_flags_now="neuro", next="1")
        visitor.send()
        assert visitor.send(button).outcome == "emergency"
        assert visitor.open("/book/").outcome == "emergency"


def test_who_has_been_seen_the_same_day_is_asked_how_it_is_now_and_can_book(visitor):
    visitor.finish(**SAME_DAY)
    assert (visitor.open("/book/").outcome, visitor.free_slots()) == ("same-day", [])
    visitor.send(seen_since(visitor.page))
    assert visitor.open("/book/").path == "/book/safety"  # nothing is known before it is answered
    assert visitor.send(red_flags_now="none").path == "/book/"
    assert visitor.book().outcome == "booked"


class TestTheSameDayOfAnEarlierDay:
    def test_offers_at_once_to_go_on_where_somebody_has_been_seen(self, visitor, clock):
        assert '<details class="disclosure" open>' not in visitor.finish(**SAME_DAY).text
        clock.shift(MORE_THAN_A_DAY)
        page = visitor.open("/assessment/result")
        assert '<details class="disclosure" open>' in page.text
        assert "You began to answer this more than a day ago" in page.text

    def test_is_left_without_the_same_question_twice(self, visitor, clock):
        visitor.finish(**SAME_DAY)
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/book/")
        assert visitor.send(red_flags_now="none").outcome == "same-day"
        button = seen_since(visitor.page)
        assert visitor.send(button, seen="yes").path == "/book/"
        assert visitor.send(button, seen="yes").path == "/book/"
        assert visitor.book().outcome == "booked"

    def test_is_said_to_go_with_the_page_for_the_doctor_where_the_check_was_finished(self, visitor, clock):
        visitor.finish(**SAME_DAY)
        visitor.open("/assessment/continue")
        while visitor.page.path != "/assessment/check":
            visitor.answer_page(SAME_DAY)
        visitor.send()
        clock.shift(MORE_THAN_A_DAY)
        page = visitor.open("/assessment/result")
        assert "You answered this more than a day ago" in page.text
        assert "the page to bring to your doctor</a>: print or read them first" in page.text
        visitor.open("/book/")
        visitor.send(red_flags_now="none")
        assert visitor.send(seen_since(visitor.page), seen="yes").path == "/book/"

    def test_asks_about_somebody_else_all_the_same(self, visitor, clock):
        visitor.finish(**SAME_DAY)
        clock.shift(MORE_THAN_A_DAY)
        visitor.open("/book/")
        visitor.send(red_flags_now="none")
        assert visitor.send(seen_since(visitor.page)).path == "/book/safety"

    def test_asks_who_answered_the_signs_only_before(self, visitor):
        visitor.finish(**SAME_DAY)
        assert visitor.send(seen_since(visitor.page), seen="yes").path == "/book/safety"


def test_an_emergency_of_today_is_not_left_by_saying_that_one_was_seen(visitor):
    visitor.answer(red_flags_now="neuro")
    visitor.open("/assessment/result")
    token = visitor.open("/assessment/red_flags_now").form.values["csrf_token"]
    assert visitor.post("/book/anew", {"csrf_token": token, "seen": "yes"}).outcome == "emergency"


class TestAskedOnTheWay:
    """Nothing that was chosen or typed is lost where the day ends in the middle of it."""

    def test_the_time_held_on_the_result_stays_chosen(self, visitor, clock):
        visitor.finish(**NECK)
        clock.shift(MORE_THAN_A_DAY)
        page = visitor.open("/assessment/result")
        form = next(form for form in page.forms if form.action == "/book/")
        wanted = form.choices["slot"][1]
        assert visitor.send(form, slot=wanted).path == "/book/safety"
        page = visitor.send(red_flags_now="none")
        assert page.path == "/book/"
        assert next(form for form in page.forms if "slot" in form.choices).values["slot"] == [wanted]

    def test_details_are_kept(self, visitor, clock):
        visitor.pass_safety()
        clock.shift(NEARLY_A_DAY)
        visitor.hold()
        clock.shift(240)
        assert visitor.fill_in(note="I use a wheelchair").path == "/book/safety"
        page = visitor.send(red_flags_now="none")
        assert (page.path, "I use a wheelchair" in page.text) == ("/book/check", True)
        assert visitor.send().outcome == "booked"

    def test_the_last_button_comes_back(self, visitor, clock):
        visitor.pass_safety()
        clock.shift(NEARLY_A_DAY)
        visitor.hold()
        visitor.fill_in()
        clock.shift(240)
        assert visitor.send().path == "/book/safety"
        assert visitor.send(red_flags_now="none").path == "/book/check"
        assert visitor.send().outcome == "booked"

    def test_a_request_for_a_time_is_made(self, visitor, clock):
        visitor.pass_safety()
        visitor.open("/request/time")
        clock.shift(MORE_THAN_A_DAY)
        page = visitor.send(name="Rae Request", phone="646 555 0111", weekdays="4", parts_of_day="morning")
        assert (page.status, page.path, page.outcome) == (200, "/request/time", None)
        assert "Rae Request" not in visitor.open("/request/time").text
