"""From a referral link to a confirmed visit in today's diary, in a real browser, with JavaScript and without."""

from __future__ import annotations

import email
import re
from email.policy import default

import pytest
from playwright.sync_api import Page, expect

from portal.assessment.questionnaire import SCREENS
from tests.assessment.test_walk import NECK
from tests.browser.conftest import DESKTOP, assert_accessible, assert_readable, follow
from tests.conftest import some_of

# One of each kind of question: to tick several, to choose one, to point at on a drawing, two on one screen.
LOOKED_AT = some_of([screen.id for screen in SCREENS], "red_flags_now", "age_band", "pain_site", "headache_days")


class Person:
    """Somebody who looks at each page before going on."""

    def __init__(self, page: Page, look: bool) -> None:
        self.page = page
        self.look = look

    def see(self) -> None:
        if self.look:
            assert_accessible(self.page)

    def answer_everything(self) -> list[str]:
        """Walk to "check your answers"; the questions met."""
        met: list[str] = []
        while "/assessment/check" not in self.page.url:
            step = re.search(r"/assessment/(\w+)", self.page.url)[1]
            met.append(step)
            if step in LOOKED_AT:
                self.see()
            for name in self.page.eval_on_selector_all(
                "main fieldset:not(.revealed)", "fieldsets => fieldsets.map(fieldset => fieldset.id)"
            ):
                answer = NECK.get(name, "none")
                for option in [answer] if isinstance(answer, str) else answer:
                    self.page.check(f"#{name}-{option}")
            self.page.get_by_role("button", name="Continue").click()
            self.page.wait_for_url(lambda url, step=step: not url.endswith(step))
        return met

    def hold(self, place: int) -> str:
        """Hold the time at that place of the list; its day."""
        chosen = self.page.locator("input[name=slot]").nth(place)
        day: str = chosen.evaluate("slot => slot.closest('section').querySelector('h3').id").removeprefix("day-")
        chosen.check()
        follow(self.page.get_by_role("button", name="Hold this time"))
        return day

    def fill_in(self, name: str) -> None:
        for token, value in (
            ("name", name),
            ("bday", "5/17/1980"),
            ("email", "jane@example.com"),
            ("tel", "212 555 0177"),
        ):
            self.page.fill(f"[autocomplete={token}]", value)

    def find_visit(self, day, name, reference, password):
        """As the front desk does: sign in on the way to the day, and open the visit."""
        self.page.goto(f"/desk/day/{day}")
        self.see()
        self.page.fill("#email", "desk@clinic.example")
        self.page.fill("#password", password)
        follow(self.page.get_by_role("button", name="Sign in", exact=True))
        assert self.page.url.endswith(day)
        self.see()
        follow(self.page.get_by_role("link", name=name))
        expect(self.page.get_by_text(reference)).to_be_visible()
        self.see()


def link_mailed(portal):
    """The visit's link, in a mail that brings a calendar entry along."""
    portal.send_mail()
    message = email.message_from_bytes(portal.mailbox.received[-1], policy=default)
    assert "text/calendar" in {part.get_content_type() for part in message.walk()}
    return re.search(r"/visit/\S+", message.get_body(("plain",)).get_content())[0]


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_article_to_confirmed_visit_and_todays_diary(portal, open_browser, javascript):
    page = open_browser(javascript)
    person = Person(page, look=javascript)

    page.goto("/r/article")
    assert page.url == f"{portal.address}/articles/cervicogenic-headache"
    person.see()
    follow(page.get_by_role("link", name="Check my headache").first)
    person.see()
    follow(page.get_by_role("button", name="None of these: start"))

    assert len(person.answer_everything()) == 14
    person.see()
    follow(page.get_by_role("button", name="Show my result"))
    expect(page.locator("main")).to_have_attribute("data-outcome", "consult")
    person.see()

    follow(page.get_by_role("link", name="See free times"))
    person.see()
    day = person.hold(2)
    expect(page.locator("main")).to_have_attribute("data-outcome", "held")
    follow(page.get_by_role("button", name="Continue"))
    expect(page.locator("main")).to_have_attribute("data-outcome", "invalid")
    person.see()
    name = "Jane Doe" if javascript else "Joan Doe"
    person.fill_in(name)
    follow(page.get_by_role("button", name="Continue"))
    person.see()
    follow(page.get_by_role("button", name="Book"))

    main = page.locator("main")
    expect(main).to_have_attribute("data-outcome", "booked")
    reference = main.get_attribute("data-reference")
    person.see()
    follow(page.get_by_role("link", name="Correct it"))
    person.see()
    page.fill("[autocomplete=email]", "jane.doe@example.com")
    follow(page.get_by_role("button", name="Save and send"))
    expect(main).to_have_attribute("data-outcome", "booked")

    page.goto(link_mailed(portal))
    expect(page.locator("main")).to_have_attribute("data-reference", reference)
    person.see()
    follow(page.get_by_role("link", name="Cancel this visit"))
    person.see()

    desk = Person(open_browser(javascript, viewport=DESKTOP), look=javascript)
    desk.find_visit(day, name, reference, portal.password)

    if javascript:
        assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_focus_and_title_follow_the_question_when_only_a_part_of_the_page_changes(portal, open_browser):
    page = open_browser()
    page.goto("/assessment/red_flags_now")
    page.check("#red_flags_now-none")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="How old are you?")).to_be_focused()
    expect(page).to_have_title(re.compile("question 2"))
    page.go_back()
    expect(page.get_by_role("heading", name="Do you have any of these now?")).to_be_visible()
    expect(page.locator("#red_flags_now-none")).to_be_checked()


def test_an_empty_answer_moves_the_focus_to_what_is_wrong(portal, open_browser):
    page = open_browser()
    page.goto("/assessment/red_flags_now")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator(".error-summary")).to_be_focused()
    assert_accessible(page)


def test_none_of_these_clears_the_others_and_they_clear_it(portal, open_browser):
    page = open_browser()
    page.goto("/assessment/red_flags_now")
    page.check("#red_flags_now-vision")
    page.check("#red_flags_now-none")
    expect(page.locator("#red_flags_now-vision")).not_to_be_checked()
    page.check("#red_flags_now-neuro")
    expect(page.locator("#red_flags_now-none")).not_to_be_checked()


@pytest.mark.parametrize("theme", some_of(["dark", "dim"], "dim"))
def test_pages_are_readable_in_every_choice_of_colours(portal, open_browser, theme):
    page = open_browser()
    page.goto("/display")
    page.check(f"input[value={theme}]")
    page.get_by_role("button", name="Use these colors").click()
    for path in ("/", "/articles/cervicogenic-headache", "/treatments/", "/specialists/", "/privacy", "/display",
                 "/assessment/", "/book/safety", "/nowhere", "/desk/sign-in"):  # fmt: skip
        page.goto(path)
        assert_readable(page)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"red_flags_now": frozenset({"self_harm", "co_gas", "neuro"})}, "emergency"),
        (
            {
                "red_flags_now": frozenset({"none"}),
                "age_band": frozenset({"65_plus"}),
                "timeline": frozenset({"new_days"}),
                "health_background": frozenset({"thinner"}),
                "headache_behaviour": frozenset({"jaw_chew"}),
            },
            "same-day",
        ),
    ],
    ids=["emergency", "same day"],
)
def test_the_urgent_results_are_accessible(portal, open_browser, answers, outcome):
    page = open_browser()
    portal.answer(page, answers)
    page.goto("/assessment/result")
    expect(page.locator("main")).to_have_attribute("data-outcome", outcome)
    assert_accessible(page)


def test_the_button_to_call_reads_as_words_and_a_number(open_browser):
    page = open_browser(javascript=False)
    page.goto("/")
    assert "Call us: (212) 555-0100" in page.locator("main").inner_text()
