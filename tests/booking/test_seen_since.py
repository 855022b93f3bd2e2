"""What was said of warning signs counts for a day; who has been seen for them since can book."""

import pytest

from tests.assessment.test_walk import NECK

SAME_DAY = {**NECK, "age_band": "65_plus", "timeline": "new_weeks"}

pytestmark = pytest.mark.both_engines


def seen_since(visitor):
    """The form at the end of a result, where it is offered."""
    return next((form for form in visitor.page.forms if form.action == "/book/anew"), None)


def test_the_next_day_the_signs_are_asked_about_again_and_only_they(visitor, clock):
    assert visitor.finish(**NECK).outcome == "consult"
    clock.shift(23 * 3600)
    assert visitor.open("/book/").path == "/book/"
    clock.shift(2 * 3600)
    assert visitor.open("/book/").path == "/book/safety"
    assert visitor.send(red_flags_now="none").path == "/book/"
    assert visitor.open("/assessment/result").outcome == "consult"  # all other answers stand
    assert visitor.book().outcome == "booked"


def test_a_sign_of_now_outweighs_the_answer_of_the_day_before(visitor, clock):
    visitor.finish(**NECK)
    clock.shift(25 * 3600)
    visitor.open("/book/")
    assert visitor.send(red_flags_now="neuro").outcome == "emergency"
    assert visitor.open("/book/").outcome == "emergency"


def test_who_had_a_sign_the_day_before_and_has_none_now_can_book(visitor, clock):
    visitor.open("/book/")
    visitor.send(red_flags_now="neuro")
    clock.shift(25 * 3600)
    assert visitor.open("/book/").path == "/book/safety"
    assert visitor.send(red_flags_now="none").path == "/book/"


def test_an_emergency_shows_nothing_but_what_to_do_until_the_next_day(visitor, clock):
    visitor.answer(age_band="65_plus", headache_behaviour=["jaw_chew", "vision_dim"])
    assert (visitor.open("/book/").outcome, seen_since(visitor)) == ("emergency", None)
    clock.shift(25 * 3600)
    visitor.open("/book/")
    assert visitor.send(red_flags_now="none").outcome == "emergency"  # by the other answers
    assert visitor.send(seen_since(visitor)).path == "/book/safety"
    assert visitor.send(red_flags_now="none").path == "/book/"
    assert visitor.book().outcome == "booked"


def test_who_has_been_seen_the_same_day_is_asked_how_it_is_now_and_can_book(visitor):
    visitor.finish(**SAME_DAY)
    assert (visitor.open("/book/").outcome, visitor.free_slots()) == ("same-day", [])
    visitor.send(seen_since(visitor))
    assert visitor.open("/book/").path == "/book/safety"  # nothing is known before it is answered
    assert visitor.send(red_flags_now="none").path == "/book/"
    assert visitor.book().outcome == "booked"
