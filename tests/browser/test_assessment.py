"""The assessment in a real browser: by keyboard alone, on the drawn head, enlarged, in forced colors."""

from __future__ import annotations

import re
from itertools import takewhile

import pytest
from playwright.sync_api import expect

from portal.assessment.questionnaire import SCREENS
from tests.browser.conftest import DESKTOP, assert_accessible, assert_no_wider, follow, letters_twice_as_large

# What to press on each screen: digits tick, Enter continues.
KEYS = {
    "red_flags_now": "0",
    "age_band": "2",
    "timeline": "3",
    "health_background": "0",
    "headache_behaviour": "0",
    "pain_site": "12",
    "pain_side": "1",
    "attack_length": "4",
    "pain_feel": "4",
    "effect": "2",
    "along_with": "0",
    "neck_link": "13",
    "headache_days": "3",
    "days_lost": "2",
}


def screen_of(page):
    found = re.search(r"/assessment/(\w+)", page.url)
    return found[1] if found else None


def test_the_whole_assessment_by_keyboard_alone(portal, open_browser):
    page = open_browser(viewport=DESKTOP)
    page.goto("/assessment/")
    while page.evaluate("document.activeElement.innerText") != "None of these: start":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/red_flags_now")
    pressed = 0
    while (screen := screen_of(page)) in KEYS:
        expect(page.locator("h1")).to_be_focused()
        for key in KEYS[screen]:
            page.keyboard.press(key)
            pressed += 1
        if screen in {"headache_days", "days_lost"}:  # a second question on the same screen
            while page.evaluate("document.activeElement.closest('fieldset')?.id") == screen:
                page.keyboard.press("Tab")
            page.keyboard.press("2" if screen == "days_lost" else "1")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url, screen=screen: not url.endswith(screen))
    assert screen == "check"
    while page.evaluate("document.activeElement.innerText") != "Show my result":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_have_attribute("data-outcome", "consult")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Your answers fit best with")


def skip_to(page, portal, name):
    """Be at a screen, having skipped all before it."""
    before = takewhile(lambda screen: screen.id != name, SCREENS)
    portal.answer(page, {question.id: frozenset() for screen in before for question in screen.questions})
    page.goto(f"/assessment/{name}")
    assert screen_of(page) == name


WORDS_ARE_COVERED = """() => {
  const words = document.activeElement.closest('.choice')?.getBoundingClientRect()
  return words && words.bottom > document.querySelector('.sticky').getBoundingClientRect().top
}"""


@pytest.mark.parametrize("screen", ["red_flags_now", "health_background"])
def test_what_the_keyboard_reaches_stands_whole_above_the_buttons(portal, open_browser, screen):
    page = open_browser(viewport={"width": 390, "height": 700})
    skip_to(page, portal, screen)
    covered = []
    while not page.evaluate("document.activeElement.matches('.sticky button')"):
        if page.evaluate(WORDS_ARE_COVERED):
            covered.append(page.evaluate("document.activeElement.value"))
        page.keyboard.press("Tab")
    assert not covered


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_tap_on_the_drawn_head_ticks_the_checkbox_and_a_second_one_clears_it(portal, open_browser, javascript):
    page = open_browser(javascript)
    skip_to(page, portal, "pain_site")
    spot = page.locator(".pain-view label[for=pain_site-neck_base] path").first
    spot.click()
    expect(page.get_by_role("checkbox", name="Upper neck or base of the skull")).to_be_checked()
    spot.click()
    expect(page.locator("#pain_site-neck_base")).not_to_be_checked()


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_medicine_kinds_appear_on_the_same_page_as_soon_as_they_matter(portal, open_browser, javascript):
    page = open_browser(javascript)
    skip_to(page, portal, "headache_days")
    expect(page.locator("#med_types")).to_be_hidden()
    page.check("#med_days-m15_plus")
    expect(page.locator("#med_types")).to_be_visible()
    page.check("#med_types-triptan")
    page.check("#headache_days-d15_plus")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/days_lost")


def test_the_danger_check_repeats_the_words_and_can_be_taken_back(portal, open_browser):
    page = open_browser()
    page.goto("/assessment/red_flags_now")
    page.get_by_text("Sudden loss of sight").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You ticked this. Is that right?")
    expect(page.get_by_role("listitem")).to_have_text(["Sudden loss of sight, or new double vision"])
    assert_accessible(page)
    page.get_by_role("link", name="No, change my answer").click()
    page.get_by_text("None of these").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("How old are you?")


def test_letters_twice_as_large_still_fit_a_phone(portal, open_browser):
    page = open_browser()
    page.goto("/assessment/red_flags_now")
    page.check("#red_flags_now-none")
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url("**/age_band")
    with letters_twice_as_large(page):
        while (here := screen_of(page)) != "check":
            assert_no_wider(page, here)
            page.get_by_role("button", name="Skip").click()
            page.wait_for_url(lambda url, here=here: not url.endswith(here))
        follow(page.get_by_role("button", name="Show my result"))
        longest = "Wednesday, September 30, 12:30 pm"
        for time in page.locator(".time strong").all():
            time.evaluate("(time, longest) => { time.textContent = longest; }", longest)
        assert_no_wider(page, f"the result, with a time on {longest}")


def test_forced_colors_keep_every_choice_visible(portal, open_browser):
    page = open_browser(forced_colors="active")
    skip_to(page, portal, "pain_site")
    page.check("#pain_site-eye")
    assert_accessible(page)
    outline = page.locator("label.choice:has(#pain_site-eye)").evaluate("label => getComputedStyle(label).outlineStyle")
    assert outline == "solid"


def test_reduced_motion_leaves_no_transition(portal, open_browser):
    page = open_browser(reduced_motion="reduce")
    page.goto("/assessment/red_flags_now")
    duration = page.locator("label.choice").first.evaluate("label => getComputedStyle(label).transitionDuration")
    assert duration == "0s"


@pytest.mark.parametrize("path", ["/assessment/pause", "/assessment/resume", "/request/call-back"])
def test_the_ways_out_are_accessible(portal, open_browser, path):
    page = open_browser()
    page.goto(path)
    assert_accessible(page)
    follow(page.locator("main form button").first)
    assert_accessible(page)
