"""Back, refresh, second tab, second device, double tap, on every screen: no step lost, repeated or skipped."""

from datetime import timedelta

import pytest

from portal.assessment.questionnaire import SCREENS
from tests.assessment.test_walk import HARMLESS, NECK
from tests.visitor import Visitor

SCREEN_IDS = [screen.id for screen in SCREENS]
INNER = SCREEN_IDS[1:]


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def walk_to(visitor, screen_id):
    visitor.open("/assessment/")
    visitor.send()
    while visitor.page.path != f"/assessment/{screen_id}":
        visitor.answer_page(NECK)
    return visitor.page


def rest(visitor):
    """The screens from here to the end, and the answers as the last page repeats them."""
    seen = []
    while visitor.page.path != "/assessment/check":
        seen.append(visitor.page.path.rpartition("/")[2])
        visitor.answer_page(NECK)
    return seen, visitor.page.text.count("<dt>")


@pytest.mark.parametrize("screen_id", SCREEN_IDS)
def test_a_refresh_shows_the_same_question(visitor, screen_id):
    first = walk_to(visitor, screen_id)
    assert visitor.open(first.path).heading == first.heading


@pytest.mark.parametrize("screen_id", SCREEN_IDS)
def test_a_double_tap_is_one_answer(visitor, screen_id):
    page = walk_to(visitor, screen_id)
    after = visitor.answer_page(NECK).path
    visitor.page = page
    assert visitor.answer_page(NECK).path == after
    assert rest(visitor) == (SCREEN_IDS[SCREEN_IDS.index(screen_id) + 1 :], 16)


@pytest.mark.parametrize("screen_id", INNER)
def test_back_shows_what_was_answered_and_forward_goes_on(visitor, screen_id):
    page = walk_to(visitor, screen_id)
    before = visitor.open(page.link("/assessment/"))
    question = before.path.rpartition("/")[2]
    assert before.form.values[question]
    assert visitor.answer_page(NECK).path == page.path


@pytest.mark.parametrize("screen_id", INNER)
def test_an_old_tab_answered_late_loses_nothing_that_came_after(visitor, screen_id):
    old_tab = walk_to(visitor, screen_id)
    visitor.answer_page(NECK)
    count = rest(visitor)[1]
    visitor.page = old_tab
    visitor.answer_page(NECK)
    assert visitor.page.path == "/assessment/check"
    assert visitor.page.text.count("<dt>") == count


@pytest.mark.parametrize("screen_id", INNER)
def test_a_second_device_goes_on_where_the_first_one_stopped(visitor, app, mail_server, screen_id):
    from portal.notifications.services import send_due_mail

    walk_to(visitor, screen_id)
    visitor.open("/assessment/pause")
    visitor.send(visitor.page.forms[0], email="jane@example.com")
    with app.app_context():
        send_due_mail()
    link = mail_server.text().split("http://127.0.0.1:8000")[1].split()[0]
    device = Visitor(app)
    device.open(link)
    device.send()
    assert device.page.path == f"/assessment/{screen_id}"
    assert rest(device)[0] == SCREEN_IDS[SCREEN_IDS.index(screen_id) :]


@pytest.mark.parametrize("screens", [0, 13])
def test_yes_i_have_this_now_is_an_emergency_whatever_another_tab_has_answered_since(visitor, screens):
    walk_to(visitor, "red_flags_now")
    danger = visitor.send(red_flags_now="thunderclap")
    visitor.open(danger.link("red_flags_now"))
    visitor.send(red_flags_now="none")
    for _ in range(screens):
        visitor.answer_page(HARMLESS)
    visitor.page = danger
    assert visitor.send().outcome == "emergency"
    assert visitor.open("/book/").outcome == "emergency"


def test_an_emergency_is_not_left_by_starting_over_on_the_same_day(visitor, clock):
    visitor.answer(**{**NECK, "age_band": "65_plus", "headache_behaviour": ["jaw_chew", "vision_dim"]})
    visitor.open("/assessment/")
    assert visitor.send().outcome == "emergency"
    clock.shift(timedelta(days=1, minutes=1))
    visitor.open("/assessment/")
    assert visitor.send().path == "/assessment/red_flags_now"


def test_an_emergency_ends_the_check_also_where_a_later_question_is_half_answered(visitor, app, clock):
    walk_to(visitor, "headache_days")
    visitor.send(headache_days="d15_plus", med_days="m15_plus")
    assert visitor.page.path == "/assessment/med_types"
    clock.shift(timedelta(days=1, minutes=1))
    visitor.open("/assessment/age_band")
    visitor.send(age_band="65_plus")
    visitor.open("/assessment/headache_behaviour")
    page = visitor.send(headache_behaviour=["jaw_chew", "vision_dim"])
    assert page.outcome == "emergency"
    assert "more than a day ago" not in page.text
    assert visitor.open("/book/").path == "/book/safety"
    assert visitor.send(red_flags_now="none").outcome == "emergency"


def test_in_an_emergency_only_the_answers_behind_it_can_be_changed(visitor):
    page = visitor.answer(red_flags_now="thunderclap")
    sent = visitor.open(page.link("red_flags_now")).form
    assert "Question 1 of 14" in visitor.page.text
    visitor.post("/assessment/tried", {**sent.values, "tried": "none"})
    assert (visitor.page.path, visitor.page.outcome) == ("/assessment/result", "emergency")
    visitor.open(page.link("red_flags_now"))
    visitor.send(red_flags_now="none")
    assert rest(visitor)[0] == INNER
