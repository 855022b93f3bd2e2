"""The library in a real browser: readable by everybody, small, and useful before any script has run."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from portal.education.loading import load_library
from tests.browser.conftest import PHONE, assert_accessible, assert_readable
from tests.conftest import some_of

PATHS = some_of(
    [page.path for page in load_library().pages],
    *("/articles/migraine", "/articles/when-a-headache-is-an-emergency", "/treatments/medicines"),
)


def test_every_page_is_accessible(portal, open_browser):
    page = open_browser()
    for path in (*PATHS, "/articles/", "/treatments/", "/search", "/search?q=neck", "/search?q=qwxzv"):
        page.goto(path)
        assert_accessible(page)


@pytest.mark.parametrize("theme", some_of(["dark", "dim"], "dim"))
def test_drawings_tables_and_definitions_are_readable_when_light_hurts(portal, open_browser, theme):
    page = open_browser()
    page.context.add_cookies([{"name": "theme", "value": theme, "url": portal.address}])
    for path in ("/articles/migraine", "/articles/occipital-neuralgia", "/treatments/", "/search?q=neck"):
        page.goto(path)
        assert_readable(page)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_term_opens_its_meaning_in_place_and_closes_again(portal, open_browser, javascript):
    page = open_browser(javascript)
    page.goto("/articles/migraine")
    meaning = page.get_by_text("A messenger that the nerves of the head use")
    expect(meaning).to_be_hidden()
    page.get_by_role("button", name="CGRP").click()
    expect(meaning).to_be_visible()
    page.keyboard.press("Escape")
    expect(meaning).to_be_hidden()


def test_results_appear_while_typing_and_stay_in_the_address(portal, open_browser):
    page = open_browser()
    page.goto("/search")
    page.get_by_role("searchbox").press_sequentially("zaps in scalp", delay=20)
    first = page.locator("#results a").first
    expect(first).to_have_text(re.compile("Occipital neuralgia"))
    expect(page).to_have_url(re.compile(r"/search\?q=zaps"))
    expect(page.get_by_role("searchbox")).to_be_focused()
    assert_accessible(page)


def test_search_works_without_javascript(portal, open_browser):
    page = open_browser(javascript=False)
    page.goto("/articles/")
    page.get_by_role("searchbox").fill("occiptal")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#results a").first).to_have_text(re.compile("Occipital neuralgia"))


def test_an_answer_found_is_where_its_link_leads(portal, open_browser):
    page = open_browser()
    page.goto("/search?q=how+long+does+a+migraine+last")
    page.get_by_role("link", name="How long does a migraine last?").click()
    expect(page.get_by_role("heading", name="How long does a migraine last?")).to_be_in_viewport()


@pytest.mark.parametrize("path", PATHS)
def test_a_first_view_is_small(portal, open_browser, path):
    page = open_browser(viewport=PHONE)
    finished = []
    page.on("requestfinished", lambda request: finished.append(request))
    page.goto(path, wait_until="networkidle")
    sizes = [request.sizes() for request in finished]
    total = sum(size["responseHeadersSize"] + size["responseBodySize"] for size in sizes)
    assert len(sizes) <= 6, [request.url for request in finished]
    assert total <= 45 * 1024, {request.url: request.sizes() for request in finished}


def test_a_page_on_paper_has_its_text_and_sources_and_no_buttons(portal, open_browser):
    page = open_browser()
    page.goto("/articles/migraine")
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="References")).to_be_visible()
    expect(page.get_by_role("heading", name="When to get help now")).to_be_visible()
    for hidden in (".actions >> nth=0", ".contents", ".disclosure", ".site-footer", ".reading-progress"):
        expect(page.locator(hidden)).to_be_hidden()
