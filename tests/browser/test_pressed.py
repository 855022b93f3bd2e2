"""While forms are pressed: a browser does the sum by itself, one without scripts waits, and both are told."""

import pytest
from playwright.sync_api import expect

from portal.core import allowed
from portal.core.db import db
from portal.core.limits import EVERYBODY, HitCount, count_hit
from tests.browser.conftest import assert_accessible


@pytest.fixture
def pressed(portal):
    """Many requests have come in this hour, from everywhere."""
    with portal.app.app_context():
        for _ in range(40):
            count_hit(allowed.ALL_REQUESTS, EVERYBODY)
        yield
        with db.engine.begin() as connection:
            connection.execute(HitCount.__table__.delete())


def ask_for_a_call(page, number):
    page.goto("/request/call-back")
    page.fill("[autocomplete=name]", "Jane Doe")
    page.fill("[autocomplete=tel]", f"212 555 {number}")
    page.get_by_role("button", name="Call me").click()


def test_with_javascript_it_goes_on_by_itself(open_browser, pressed):
    page = open_browser()
    asked = []
    page.on("response", lambda response: asked.append(response.status) if response.request.method == "POST" else None)
    ask_for_a_call(page, 1001)
    expect(page.get_by_role("heading", level=1)).to_have_text("We call you")
    assert asked == [429, 200]


def test_without_javascript_it_says_to_wait_and_keeps_what_was_typed(open_browser, pressed):
    page = open_browser(javascript=False)
    ask_for_a_call(page, 1002)
    expect(page.get_by_role("heading", level=1)).to_have_text("One moment more")
    expect(page.get_by_text("Please wait one minute, then press the button.")).to_be_visible()
    assert page.locator("input[name=phone]").input_value() == "212 555 1002"
    page.get_by_role("button", name="Send it now").click()
    expect(page.get_by_text("It was a little early.")).to_be_visible()


def test_the_page_is_accessible_with_its_sum_under_way(open_browser, pressed):
    page = open_browser()
    page.add_init_script("crypto.subtle.digest = () => new Promise(() => {})")  # a sum that never ends
    ask_for_a_call(page, 1003)
    expect(page.get_by_role("status")).to_have_text(
        "Your browser is doing a small sum first. This takes a few seconds."
    )
    expect(page.get_by_role("button", name="Send it now")).to_be_disabled()
    assert_accessible(page)
