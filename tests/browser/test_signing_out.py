"""After signing out nothing of the desk is left in the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, follow


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without"])
def test_after_signing_out_going_back_shows_nothing(open_browser, portal, javascript):
    page = open_browser(javascript=javascript, viewport=DESKTOP)
    portal.sign_in(page)
    page.goto("/desk/find")
    page.goto("/desk/requests")
    heading = page.locator("h1").inner_text()
    with page.expect_response(lambda response: response.url.endswith("/desk/sign-out")) as leaving:
        follow(page.get_by_role("button", name="Sign out"))
    assert leaving.value.all_headers()["clear-site-data"] == '"cache", "storage"'
    expect(page.locator("h1")).to_have_text("Front desk: sign in")
    for _ in range(2):
        page.go_back()
        expect(page.locator("h1")).to_have_text("Front desk: sign in")
        assert heading not in page.locator("h1").inner_text()


def test_the_colours_just_chosen_show_on_the_very_next_page(open_browser, portal):
    page = open_browser(True)
    page.goto(f"{portal.address}/articles/")
    page.get_by_role("link", name="Dim").click()
    page.get_by_label("Dim, for when light hurts").check()
    with page.expect_navigation():
        page.locator("main form button").click()
    assert page.url.endswith("/articles/")
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(15, 12, 9)"


def test_the_colours_that_somebody_chose_stay(open_browser, portal):
    page = open_browser(viewport=DESKTOP)
    page.context.add_cookies([{"name": "theme", "value": "dim", "url": portal.address}])
    portal.sign_in(page)
    page.goto("/desk/find")
    follow(page.get_by_role("button", name="Sign out"))
    assert "theme" in {cookie["name"] for cookie in page.context.cookies()}
