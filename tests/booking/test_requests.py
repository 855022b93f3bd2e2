"""Nothing fits: a request with wishes becomes a task at the desk."""

import pytest

from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines

WISHES = {"weekdays": ["1", "3"], "parts_of_day": ["morning"], "name": "Ann Poe", "phone": "212 555 0188"}


def test_a_request_reaches_the_desk_once_with_its_wishes(visitor, desk):
    visitor.pass_safety()
    visitor.open(visitor.page.link("/request/time"))
    form = visitor.page.form
    for _ in range(2):
        assert visitor.send(form, **WISHES).heading == "We look for a time and call you"
    page = desk.open("/desk/requests")
    assert page.text.count("<strong>Ann Poe</strong>") == 1
    assert "Tuesday, Thursday; mornings" in page.text
    assert "wants a time" in page.text
    desk.send(next(form for form in page.forms if "requests" in form.action), outcome="booked")
    assert "<strong>Ann Poe</strong>" not in desk.page.text
    assert "Settled since yesterday" in desk.page.text


def test_what_was_chosen_and_typed_comes_back_when_something_is_missing(visitor):
    visitor.pass_safety()
    visitor.open("/request/time")
    page = visitor.send(**{**WISHES, "phone": ""})
    assert (page.status, page.outcome) == (422, "invalid")
    assert page.form.values["name"] == ["Ann Poe"]
    assert page.form.values["weekdays"] == ["1", "3"]


def test_a_danger_sign_leads_to_help_and_not_to_a_request(app):
    person = Visitor(app)
    person.open("/book/")
    person.send(red_flags_now="neuro")
    assert person.open("/request/time").outcome == "emergency"


def test_without_the_safety_question_it_comes_first(visitor):
    assert visitor.open("/request/time").path == "/book/safety"
    assert visitor.send().status == 422
    assert visitor.send(red_flags_now="none").path == "/request/time"
