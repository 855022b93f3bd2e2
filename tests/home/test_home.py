"""The front door, the colours, and the way back from them."""

import pytest


def test_the_home_page_names_the_next_free_time_and_leads_on(visitor):
    page = visitor.open("/")
    assert "Wednesday, November 18, 12:00 pm EST" in page.text
    assert {"/assessment/", "/book/", "/articles/cervicogenic-headache"} <= set(page.links)
    assert "tel:2125550100" in page.links


def test_colours_are_chosen_without_a_script_and_remembered(visitor):
    assert "--paper" not in visitor.open("/theme.css").text
    visitor.open("/display", headers={"Referer": "http://127.0.0.1:8000/articles/"})
    assert visitor.send(theme="dim").path == "/articles/"
    theme = visitor.open("/theme.css")
    assert "--paper: #0f0c09" in theme.text
    assert "Cookie" in theme.response.vary


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "javascript:x"])
def test_choosing_colours_never_leads_out_of_the_portal(visitor, back):
    visitor.open("/display")
    assert visitor.send(theme="dark", back=back).path == "/"


def test_an_unknown_colour_asks_again(visitor):
    visitor.open("/display")
    assert visitor.send(theme="pink").status == 422
    visitor.client.set_cookie("theme", "../../config", domain="127.0.0.1")
    assert visitor.open("/theme.css").status == 200
