"""A screen of the desk that nobody uses: it locks, keeps what was typed, and shows nobody to who passes by."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.accounts.models import StaffSession
from portal.core import clock
from portal.core.db import db, transactional


class TestAScreenThatNobodyUses:
    @pytest.fixture
    def call(self, open_desk):
        """A half-typed call, in a browser whose clock can be moved."""
        page = open_desk("/desk/find", timezone_id="America/New_York")
        page.clock.install()
        page.goto("/desk/book")
        with page.expect_event("requestfinished", lambda request: request.url.endswith("/desk/book")):
            page.fill("#name", "Kim Halftyped")  # it looks for whom it knows by that name
        expect(page.locator(".htmx-request")).to_have_count(0)
        return page

    def wait(self, call):
        """A quarter of an hour goes by in the browser; the page then asks the server, whose clock stands."""
        with call.expect_response("**/desk/here?poll"):
            call.clock.fast_forward(16 * 60_000)

    def test_keeps_a_half_typed_call_while_its_owner_works_in_another_tab(self, call):
        for _ in range(3):
            self.wait(call)
        expect(call.locator("#name")).to_have_value("Kim Halftyped")

    def test_locks_once_nobody_has_used_any_tab(self, call, portal):
        with portal.app.app_context():
            transactional(leave_alone)()
        self.wait(call)
        expect(call.get_by_text("This screen is locked")).to_be_visible()

    def test_is_hidden_while_the_portal_does_not_answer_and_then_as_it_was(self, call):
        call.route("**/desk/here?poll", lambda route: route.abort())
        for minutes in (16, 2):
            with call.expect_event("requestfailed"):
                call.clock.fast_forward(minutes * 60_000)
        expect(call.get_by_text("does not answer")).to_be_visible()
        expect(call.locator("#name")).to_be_hidden()
        call.unroute("**/desk/here?poll")
        self.wait(call)
        expect(call.locator("#name")).to_have_value("Kim Halftyped")
        expect(call.locator("#name")).to_be_visible()

    def test_is_hidden_also_where_the_board_refreshes_itself(self, open_desk):
        page = open_desk("/desk/find", timezone_id="America/New_York")
        page.clock.install()
        page.goto("/desk/")
        page.route("**/desk/**poll**", lambda route: route.abort())
        for minutes in (16, 2, 2):
            with page.expect_event("requestfailed"):
                page.clock.fast_forward(minutes * 60_000)
        expect(page.get_by_text("does not answer")).to_be_visible()
        expect(page.locator("#board")).to_be_hidden()
        page.unroute("**/desk/**poll**")
        with page.expect_response("**/desk/here?poll"):
            page.clock.fast_forward(2 * 60_000)
        expect(page.locator("#board")).to_be_visible()


def leave_alone():
    """Let nobody have used any tab for a quarter of an hour."""
    for session in db.session.scalars(select(StaffSession).where(StaffSession.ended_at.is_(None))):
        session.seen_at = clock.now() - timedelta(minutes=16)
