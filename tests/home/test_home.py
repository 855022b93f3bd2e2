"""The front door, the colours, and the way back from them."""

import pytest

from portal.assessment.questionnaire import RED_FLAGS


def test_the_home_page_names_the_next_free_time_and_leads_on(visitor):
    page = visitor.open("/")
    assert "Wednesday, November 18, 12:00 pm EST" in page.text
    assert {"/assessment/", "/book/", "/articles/cervicogenic-headache"} <= set(page.links)
    assert "tel:2125550100" in page.links


HELP_NOW = {
    "thunderclap": "a very bad headache that hit its worst within 5 minutes",
    "neuro": "trouble speaking or walking, spinning dizziness",
    "confusion": "confusion, or very hard to wake",
    "fever_neck": "fever with a stiff neck, a rash, or light that hurts",
    "vision": "sudden loss of sight, double vision",
    "eye_red": "a red painful eye",
    "eyelid_pupil": "one pupil bigger than the other",
    "neck_sudden": "sudden neck or back-of-head pain",
    "preg_alarm": "spots in your sight, belly pain or new swelling",
    "injury_alarm": "sleepy or throwing up",
    "co_gas": "a gas alarm went off: get out first",
    "self_harm": "hurting yourself or ending your life",
}


def test_when_to_get_help_now_names_each_warning_sign_that_the_check_asks_for_and_narrows_none(visitor):
    box = visitor.open("/").text.split('class="help-now"')[1].split("</aside>")[0]
    assert HELP_NOW.keys() == RED_FLAGS.option_ids - {"none"}
    assert [flag for flag, words in HELP_NOW.items() if words not in box] == []
    assert "worst headache of your life" not in box


def test_colours_are_chosen_without_a_script_and_remembered(visitor):
    assert "--paper" not in visitor.open("/theme.css").text
    visitor.open("/display", headers={"Referer": "http://127.0.0.1:8000/articles/"})
    assert visitor.send(theme="dim").path == "/articles/"
    theme = visitor.open("/theme.css")
    assert "--paper: #0f0c09" in theme.text
    assert "Cookie" in theme.response.vary


def test_choosing_colours_leads_back_to_what_was_looked_for(visitor):
    visitor.open("/display", headers={"Referer": "http://127.0.0.1:8000/search?q=neck+pain"})
    assert 'value="neck pain"' in visitor.send(theme="dim").text


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "javascript:x"])
def test_choosing_colours_never_leads_out_of_the_portal(visitor, back):
    visitor.open("/display")
    assert visitor.send(theme="dark", back=back).path == "/"


def test_an_unknown_colour_asks_again(visitor):
    visitor.open("/display")
    assert visitor.send(theme="pink").status == 422
    visitor.client.set_cookie("theme", "../../config", domain="127.0.0.1")
    assert visitor.open("/theme.css").status == 200
