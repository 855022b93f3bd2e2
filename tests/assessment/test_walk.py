"""The assessment, walked by somebody with a browser without JavaScript."""

import re

import pytest

from portal.assessment.questionnaire import QUESTIONS, SCREENS
from tests.assessment.test_each_pattern import CLUSTER
from tests.visitor import Page

NECK = {
    "age_band": "18_49",
    "timeline": "stable",
    "pain_site": ["neck_base", "back_head"],
    "pain_side": "same_side",
    "attack_length": "hours_days",
    "pain_feel": ["ache"],
    "effect": "slowed",
    "neck_link": ["neck_move", "neck_stiff"],
    "headache_days": "d8_14",
    "med_days": "m0_9",
    "days_lost": "l6_10",
    "tried": ["physio"],
}
HARMLESS = {**NECK, "pain_side": "both", "pain_feel": ["press"], "effect": "carry_on", "neck_link": "none"}
HARMLESS |= {"pain_site": "all_over", "headache_days": "d1_3", "days_lost": "l0_5", "tried": ["otc"]}


def test_every_screen_is_asked_once_in_order_and_the_result_says_consult(visitor):
    visitor.open("/assessment/")
    visitor.send()
    seen = []
    while visitor.page.path not in {"/assessment/check", "/assessment/result"}:
        seen.append(visitor.page.path.rpartition("/")[2])
        assert f"Question {len(seen)} of 14" in visitor.page.text
        visitor.answer_page(NECK)

    assert seen == [screen.id for screen in SCREENS]
    result = visitor.send()
    assert (result.path, result.outcome) == ("/assessment/result", "consult")
    assert "Your answers fit best with" in result.text
    assert "always the same side" in result.text
    assert "Only an exam" in result.text
    assert "/book/" in result.links


def test_harmless_answers_end_in_self_care_which_still_lets_the_person_book(visitor):
    page = visitor.finish(**HARMLESS)
    assert page.outcome == "self-care"
    assert visitor.open("/book/").path == "/book/"


def test_no_answer_stands_in_the_address_or_the_title_of_a_page(visitor):
    said = [option for screen in SCREENS for question in screen.questions for option in question.options]
    visitor.open("/assessment/")
    visitor.send()
    for _ in SCREENS:
        page = visitor.answer_page(NECK)
        title = re.search("<title>(.*?)</title>", page.text)[1]
        assert page.path.removeprefix("/assessment/") in {*QUESTIONS, "check"}
        assert not page.response.request.query_string
        assert [option.words for option in said if option.words in title] == []


def test_the_words_of_self_care_fit_who_has_four_days_a_month(visitor):
    page = visitor.finish(**{**HARMLESS, "headache_days": "d4_7"})
    assert page.outcome == "self-care"
    assert "on more days a month than now" in page.text
    assert "if a new headache lasts more than 2 weeks" in page.text


@pytest.mark.parametrize(("answers", "told"), [(CLUSTER, "days"), ({**NECK, "timeline": "changed"}, "two weeks")])
def test_a_result_names_one_deadline(visitor, answers, told):
    page = visitor.finish(**{"age_band": "18_49", "timeline": "stable", **answers})
    assert page.outcome == "consult"
    steps = page.text.partition("What to do now")[2].partition("</ol>")[0]
    assert re.findall("within (days|two weeks)", steps) == [told]


def test_a_child_who_should_be_seen_soon_is_told_by_when_and_by_whom(visitor):
    page = visitor.finish(age_band="under_18", timeline="new_weeks", effect="lie_down", pain_site="temple_forehead")
    assert page.outcome == "consult"
    assert "Be seen within two weeks, by a doctor for children or the family doctor." in page.text


def test_touch_triggers_are_asked_only_when_attacks_are_short_or_feel_electric(visitor):
    visitor.answer(**{**NECK, "attack_length": "seconds"})
    assert "Does a light touch set off the pain?" in visitor.page.text
    visitor.answer(**NECK)
    assert "Does a light touch set off the pain?" not in visitor.page.text


def test_medicine_kinds_come_as_a_next_page_when_ten_or_more_days_are_given(visitor):
    visitor.open("/assessment/")
    visitor.send()
    while visitor.page.path != "/assessment/headache_days":
        visitor.answer_page(NECK)
    visitor.send(headache_days="d15_plus", med_days="m15_plus")
    assert visitor.page.path == "/assessment/med_types"
    visitor.send(med_types=["simple"])
    assert visitor.page.path == "/assessment/days_lost"


def test_an_answer_that_closes_a_branch_drops_its_answers(visitor):
    visitor.answer(**{**NECK, "med_days": "m15_plus", "med_types": ["triptan"]})
    assert "Migraine pills" in visitor.page.text
    visitor.open("/assessment/med_days?return=check")
    visitor.send(med_days="m0_9")
    assert visitor.page.path == "/assessment/check"
    assert "Migraine pills" not in visitor.page.text


def test_change_on_the_check_page_returns_straight_there(visitor):
    visitor.answer(**NECK)
    visitor.open(visitor.page.link("/assessment/age_band"))
    visitor.send(age_band="50_64")
    assert visitor.page.path == "/assessment/check"
    assert "50 to 64" in visitor.page.text


def test_a_change_asks_only_the_follow_up_that_became_necessary(visitor):
    visitor.answer(**NECK)
    visitor.open("/assessment/attack_length?return=check")
    visitor.send(attack_length="seconds")
    assert visitor.page.path == "/assessment/touch_triggers"
    visitor.send(touch_triggers="none")
    assert visitor.page.path == "/assessment/check"


@pytest.mark.parametrize("flag", ["thunderclap", "self_harm", "co_gas"])
def test_a_red_flag_ends_the_assessment_at_the_emergency_page_with_nothing_else_on_it(visitor, flag):
    page = visitor.answer(red_flags_now=[flag])
    assert (page.path, page.outcome) == ("/assessment/result", "emergency")
    assert page.forms == []
    wanted = {"thunderclap": "tel:911", "self_harm": "tel:988", "co_gas": "tel:911"}[flag]
    assert page.links[1] == wanted  # the first thing after the skip link
    assert not [link for link in page.links if link.startswith(("/book", "/articles", "/treatments"))]


def test_thoughts_of_self_harm_beside_another_sign_have_both_numbers_to_tap(visitor):
    visitor.open("/assessment/red_flags_now")
    page = visitor.send(red_flags_now=["self_harm", "thunderclap"])
    # Where it is asked whether that is right, they stand above what is pressed.
    assert {"tel:988", "tel:911"} <= set(re.findall('href="([^"]*)"', page.text.partition("<form")[0]))
    page = visitor.send()
    assert page.links[1:3] == ["tel:988", "tel:911"]
    assert "Call 911 now" in page.text


def test_thoughts_of_self_harm_hide_no_emergency_of_another_screen(visitor):
    page = visitor.answer(health_background="pregnant", headache_behaviour="vision_dim")
    assert "Call 911 now" in page.text
    visitor.open("/book/safety")
    page = visitor.send(red_flags_now=["self_harm"])
    assert (page.outcome, page.links[1]) == ("emergency", "tel:988")
    assert "Call 911 now" in page.text


def test_emergency_stays_the_outcome_until_the_answers_change(visitor):
    visitor.answer(red_flags_now=["thunderclap"])
    for path in (
        "/assessment/timeline",
        "/assessment/check",
        "/assessment/result",
        "/book/",
        "/book/details",
    ):
        assert visitor.open(path).outcome == "emergency"
    visitor.open("/assessment/red_flags_now")
    visitor.send(red_flags_now=["none"])
    assert visitor.page.path == "/assessment/age_band"


def test_who_takes_a_warning_sign_back_is_stopped_at_the_next_danger_and_can_go_back(visitor):
    page = visitor.answer(red_flags_now=["thunderclap"])
    visitor.open(page.link("red_flags_now"))
    visitor.send(red_flags_now="none")
    visitor.send(age_band="65_plus")
    assert "/assessment/age_band" in visitor.page.links
    visitor.send(timeline="new_days")
    visitor.send(health_background="thinner")
    page = visitor.send(headache_behaviour="none")
    assert (page.path, page.outcome) == ("/assessment/result", "same-day")


def test_a_same_day_rule_interrupts_after_the_safety_screens_and_lets_the_person_go_on(visitor):
    page = visitor.answer(**{**NECK, "age_band": "65_plus", "timeline": "new_weeks"})
    assert (page.path, page.outcome) == ("/assessment/result", "same-day")
    assert "tel:2125550100" in page.links
    assert not [link for link in page.links if link.startswith("/book")]

    visitor.open(page.link("/assessment/pain_site"))
    while visitor.page.path not in {"/assessment/check", "/assessment/result"}:
        assert visitor.page.path != "/assessment/days_lost"  # who must be seen today is spared the last screen
        visitor.answer_page(NECK)
    assert visitor.send().outcome == "same-day"


def test_who_must_be_seen_today_is_sent_to_one_place_and_it_is_the_most_urgent(visitor):
    page = visitor.answer(age_band="65_plus", timeline="new_days", health_background="thinner")
    assert re.findall(r"Go to [^.<]*", page.text) == ["Go to an emergency department, because it may take a scan"]
    assert page.text.index("blood thinner") < page.text.index("new headache at your age should be looked at today")
    for calmer in ("your own doctor", "urgent care", "Call, ask to be seen"):
        assert calmer not in page.text


def ask_to_be_called(visitor):
    visitor.open("/request/call-back")
    return visitor.send(name="Ann Poe", phone="212 555 0188")


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"age_band": "65_plus", "timeline": "new_days"}, "Do not wait for our call: be seen today"),
        ({"red_flags_now": "thunderclap"}, "Do not wait for our call: get help now"),
    ],
    ids=["same day", "emergency"],
)
def test_a_call_back_never_takes_the_place_of_being_seen(visitor, answers, told):
    visitor.answer(**answers)
    assert told in visitor.open("/request/call-back").text
    page = ask_to_be_called(visitor)
    assert page.heading == told
    assert "/assessment/result" in page.links
    assert "and rest" not in page.text


def test_nor_does_it_when_the_warning_signs_were_skipped_and_the_desk_sees_how_urgent_it_is(visitor, desk):
    visitor.answer(age_band="65_plus", timeline="new_days")
    visitor.open("/assessment/red_flags_now")
    assert visitor.send(red_flags_now=[], skip="1").outcome == "same-day"
    assert "be seen today" in ask_to_be_called(visitor).text
    assert "same day</span>" in desk.open("/desk/requests").text


def test_jumping_ahead_leads_to_the_first_question_that_is_open(visitor):
    visitor.open("/assessment/")
    visitor.send()
    visitor.answer_page(NECK)
    assert visitor.open("/assessment/days_lost").path == "/assessment/age_band"
    assert visitor.open("/assessment/check").path == "/assessment/age_band"
    assert visitor.open("/assessment/result").path == "/assessment/age_band"


def test_a_finished_assessment_is_kept_and_a_change_starts_a_new_revision(visitor, app):
    from portal.assessment.models import Assessment
    from portal.core.db import db

    visitor.finish(**NECK)
    visitor.open("/assessment/effect?return=check")
    visitor.send(effect="carry_on")
    visitor.send()

    with app.app_context():
        first, second = db.session.scalars(db.select(Assessment).order_by(Assessment.revision))
        assert (first.answers["effect"], second.answers["effect"]) == (["slowed"], ["carry_on"])
        assert first.finished_at is not None
        assert second.finished_at is not None


def test_a_safety_question_that_was_skipped_is_one_press_away_from_the_result(visitor):
    visitor.answer(**HARMLESS)
    visitor.open("/assessment/headache_behaviour?return=check")
    visitor.send(headache_behaviour=[], skip="1")
    page = visitor.send()
    assert (page.outcome, "you skipped a question" in page.text) == ("consult", True)
    visitor.open(page.link("/assessment/headache_behaviour"))
    visitor.send(headache_behaviour="none")
    assert visitor.page.path == "/assessment/check"
    assert visitor.send().outcome == "self-care"


def test_skipping_every_question_ends_in_consult_because_the_safety_questions_are_open(visitor):
    visitor.open("/assessment/")
    visitor.send()
    while visitor.page.path not in {"/assessment/check", "/assessment/result"}:
        visitor.send(skip="1")
    assert visitor.page.text.count("Skipped") >= 14
    assert visitor.send().outcome == "consult"


def test_a_fragment_stands_word_for_word_in_the_whole_page(visitor):
    visitor.open("/assessment/")
    visitor.send()
    whole = visitor.client.get("/assessment/red_flags_now").text
    part = visitor.client.get("/assessment/red_flags_now", headers={"HX-Request": "true"})
    assert part.text.strip() in whole
    assert "<html" not in part.text
    assert {"HX-Request", "HX-Request-Type"} <= set(part.vary)


def test_an_answer_sent_by_htmx_brings_the_next_question_or_leaves_for_the_result(visitor):
    visitor.open("/assessment/")
    visitor.send()
    form = visitor.page.form
    headers = {"HX-Request": "true"}
    page = visitor.post(form.action, {**form.values, "red_flags_now": "none"}, headers=headers)
    assert page.response.headers["HX-Push-Url"] == "/assessment/age_band"
    assert page.text.strip().startswith('<div id="step"')
    visitor.open("/assessment/red_flags_now")
    response = visitor.client.post(
        form.action, data={**visitor.page.form.values, "red_flags_now": "thunderclap"}, headers=headers
    )
    assert response.headers["HX-Redirect"] == "/assessment/danger"


def test_answers_are_encrypted_at_rest_and_never_in_the_cookie(visitor, app):
    from sqlalchemy import text

    from portal.core.db import db

    visitor.finish(**NECK)
    cookie = visitor.client.get_cookie("portal", domain="127.0.0.1")
    assert cookie is not None
    with app.app_context():
        stored = db.session.execute(text("SELECT answers, result FROM assessment")).one()
    for secret in (b"same_side", b"neck_move", b"cervicogenic"):
        assert not any(secret in bytes(value) for value in stored)
        assert secret.decode() not in cookie.decoded_value


def test_the_person_is_never_told_that_they_have_something(visitor):
    assert "You have a" not in Page(visitor.finish(**NECK).response).text.replace("You have a visit", "")
