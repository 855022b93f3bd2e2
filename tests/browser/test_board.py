"""The day board in a real browser: it refreshes itself and nothing moves under one's hands."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from portal.core.db import db, transactional
from portal.scheduling.models import Slot, SlotState
from tests.browser.conftest import DESKTOP, assert_accessible, assert_readable, follow
from tests.conftest import some_of

TABLET = {"width": 768, "height": 700}


@pytest.fixture
def busy_day(portal):
    """A day to come with several free times of one clinician."""
    with portal.app.app_context():
        free = select(Slot.day).where(Slot.state == SlotState.FREE, Slot.offered, Slot.starts_at > func.now())
        return db.session.scalar(free.group_by(Slot.day).having(func.count() > 3).order_by(Slot.day.desc()).limit(1))


def sign_in(page, portal, path):
    portal.sign_in(page)
    page.goto(path)


@transactional
def set_state(slot_id, state):
    db.session.get(Slot, slot_id).state = state


def test_it_refreshes_itself_and_keeps_focus_and_scroll(portal, open_browser, busy_day):
    page = open_browser(viewport=TABLET)
    sign_in(page, portal, f"/desk/day/{busy_day}")
    page.get_by_text("What the marks mean").click()
    times = page.locator("a[data-slot]")
    goes, stays = int(times.nth(0).get_attribute("data-slot")), times.nth(2).get_attribute("id")
    page.locator(f"#{stays}").focus()
    page.evaluate("document.querySelector('.board').scrollTop = 60")
    before = page.evaluate("[scrollY, document.querySelector('.board').scrollTop]")
    with portal.app.app_context():
        set_state(goes, SlotState.BOOKED)
    try:
        with page.expect_response(lambda response: "poll=" in response.url):
            page.evaluate("htmx.trigger('#board', 'refresh')")
        expect(page.locator(f"#time-{goes}")).to_have_count(0)
        assert page.evaluate("document.activeElement.id") == stays
        assert page.evaluate("[scrollY, document.querySelector('.board').scrollTop]") == before
        expect(page.locator(".legend ul")).to_be_visible()  # what was open is open
    finally:
        with portal.app.app_context():
            set_state(goes, SlotState.FREE)


@pytest.mark.parametrize("theme", some_of(["light", "dim"], "light"))
def test_every_page_of_the_diary_is_accessible(portal, open_browser, busy_day, theme):
    page = open_browser()
    page.context.add_cookies([{"name": "theme", "value": theme, "url": portal.address}])
    sign_in(page, portal, f"/desk/day/{busy_day}")
    for path in (
        f"/desk/day/{busy_day}",
        f"/desk/day/{busy_day}?by=place",
        f"/desk/week/{busy_day}",
        f"/desk/month/{busy_day:%Y-%m}",
        f"/desk/day/{busy_day}/sheet",
    ):
        page.goto(f"{portal.address}{path}")
        assert_accessible(page) if theme == "light" else assert_readable(page)


def test_it_works_without_javascript(portal, open_browser, busy_day):
    page = open_browser(javascript=False)
    sign_in(page, portal, f"/desk/day/{busy_day}")
    follow(page.get_by_role("link", name="Week"))
    expect(page.get_by_role("heading", level=1)).to_contain_text(" to ")
    follow(page.get_by_role("button", name="Mask names"))
    expect(page.get_by_role("button", name="Names on lists are masked")).to_be_visible()
    assert "/desk/week/" in page.url


def test_a_free_half_hour_says_what_it_is_for_and_the_printed_board_where_it_is(portal, open_browser):
    with portal.app.app_context():
        free = (Slot.state == SlotState.FREE, Slot.offered, Slot.starts_at > func.now())
        slot = db.session.scalar(select(Slot).where(*free, Slot.visit_type.has(code="call")).limit(1))
    page = open_browser(viewport=DESKTOP)
    sign_in(page, portal, f"/desk/day/{slot.day}")
    time = page.locator(f"#time-{slot.id}")
    assert time.inner_text().split("\n")[-1] == "First consult by phone"
    page.emulate_media(media="print")
    assert time.inner_text().split("\n")[-1] == "First consult by phone"
    head = page.locator(".column header")
    assert "West" in head.inner_text()
    assert head.evaluate("head => head.scrollHeight <= head.clientHeight")
