"""Choosing, moving and waiting for a time in a real browser: nothing jumps, nothing typed is lost."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.booking.models import Appointment
from portal.core.db import db, transactional
from portal.scheduling.models import Slot, SlotState
from tests.browser.conftest import assert_accessible, follow


def pass_safety(page, portal):
    page.goto(f"{portal.address}/book/")
    page.check("input[value=none]")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Choose a time")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the list comes once more, by the browser's own clocks


@transactional
def take(slot_id):
    db.session.get(Slot, slot_id).state = SlotState.BOOKED


@transactional
def give_back(slot_id):
    db.session.get(Slot, slot_id).state = SlotState.FREE


def test_the_list_refreshes_itself_and_keeps_choice_focus_and_scroll(portal, open_browser):
    page = open_browser(True)
    pass_safety(page, portal)
    times = page.locator("input[name=slot]")
    chosen, goes = times.nth(8), int(times.nth(3).get_attribute("value"))
    chosen.check()
    value, top = chosen.get_attribute("value"), chosen.bounding_box()["y"]
    with portal.app.app_context():
        take(goes)
    try:
        with page.expect_response(lambda response: "slot=" in response.url):
            page.evaluate("htmx.trigger('#slot-list', 'refresh')")
        expect(page.locator(f"#slot-{goes}")).to_have_count(0)
        expect(page.locator(f"#slot-{value}")).to_be_checked()
        assert page.evaluate("document.activeElement.id") == f"slot-{value}"
        height = page.locator(".times li").first.bounding_box()["height"]
        assert abs(page.locator(f"#slot-{value}").bounding_box()["y"] - top) <= 2 * height  # one time less above
    finally:
        with portal.app.app_context():
            give_back(goes)


def test_filters_and_the_month_work_and_every_page_is_accessible(portal, open_browser):
    page = open_browser(True)
    pass_safety(page, portal)
    assert_accessible(page)
    page.get_by_text("Narrow the list").click()
    assert_accessible(page)
    page.select_option("#filter-mode", "phone")
    expect(page.locator("#slot-list")).not_to_contain_text("East")
    assert "mode=phone" in page.url
    follow(page.get_by_role("link", name="Month"))
    assert_accessible(page)
    page.locator(".month td a").first.click()
    expect(page.locator("#slot-list [role=status]")).to_contain_text("free")
    page.goto(f"{portal.address}/request/time")
    assert_accessible(page)


def test_a_browser_elsewhere_shows_phone_visits_by_its_own_clocks(portal, open_browser):
    page = open_browser(True, timezone_id="Asia/Kolkata")
    pass_safety(page, portal)
    page.goto(f"{portal.address}/book/?mode=phone")
    expect(page.locator(".there").first).to_contain_text("IST")


def test_a_browser_elsewhere_that_has_not_said_so_asks_once_more_for_its_own_clocks(portal, open_browser):
    page = open_browser(True, timezone_id="Asia/Kolkata")
    pass_safety(page, portal)
    page.goto(f"{portal.address}/book/?zone=")  # as after the assessment, which does not ask for it
    with page.expect_response(lambda response: "zone=Asia" in response.url):
        page.goto(f"{portal.address}/book/?mode=phone")
    expect(page.locator(".there").first).to_contain_text("IST")


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_a_visit_is_moved_put_on_the_list_and_given_back(portal, open_browser, javascript):
    page = open_browser(javascript)
    name = f"Mo Moves {javascript}"
    pass_safety(page, portal)
    page.locator("input[name=slot]").nth(20).check()
    page.get_by_role("button", name="Hold this time").click()
    page.fill("[autocomplete=name]", name)
    page.get_by_role("button", name="Keep the time longer").click()
    assert page.input_value("[autocomplete=name]") == name
    if javascript:
        expect(page.locator("[data-until]")).to_contain_text("10 minutes left")
    for token, value in (("bday", "5/17/1980"), ("email", f"mo{javascript}@example.com"), ("tel", "212 555 0177")):
        page.fill(f"[autocomplete={token}]", value)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Book ").click()
    follow(page.get_by_role("link", name="See, change"))
    if javascript:
        assert_accessible(page)
    page.get_by_role("link", name="Move to another time").click()
    page.locator("input[name=slot]").nth(25).check()
    page.get_by_role("button", name="Move my visit").click()
    expect(page.locator("main[data-outcome=moved]")).to_be_visible()
    follow(page.get_by_role("link", name="Tell me when"))
    if javascript:
        assert_accessible(page)
    page.get_by_label("Mornings").check()
    page.get_by_role("button", name="Put me on the list").click()
    expect(page.get_by_text("You are on the earlier-slot list")).to_be_visible()
    page.get_by_role("link", name="Cancel this visit").click()
    page.get_by_label("another reason").check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Yes, cancel it").click()
    expect(page.locator("main[data-outcome=cancelled]")).to_be_visible()
    with portal.app.app_context():
        visit = db.session.scalar(select(Appointment).where(Appointment.patient.has(name=name)))
        assert (visit.status, visit.slot.state) == ("cancelled", "free")


def test_the_desks_diary_pages_are_accessible(portal, open_browser):
    page = open_browser(True)
    portal.sign_in(page)
    for path in ("closures", "requests"):
        page.goto(f"{portal.address}/desk/{path}")
        assert_accessible(page)
