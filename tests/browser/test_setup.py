"""The set-up screens in a real browser: read by everybody, and a preview before the diary changes."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from portal.accounts.services import StaffRole, add_staff
from tests.browser.conftest import DESKTOP, assert_accessible, follow

EMAIL = "set-up@clinic.example"


@pytest.fixture(scope="module")
def password(portal):
    """Of a manager of these tests."""
    with portal.app.app_context():
        return add_staff(EMAIL, "Mia Manager", StaffRole.MANAGER)


@pytest.fixture
def manager(portal, password, open_browser):
    """A manager's browser, signed in."""
    page = open_browser(viewport=DESKTOP)
    portal.sign_in(page, EMAIL, password)
    page.goto("/desk/setup/")
    return page


def test_every_set_up_screen_is_accessible(portal, manager):
    expect(manager.get_by_role("heading", name="Set-up")).to_be_visible()
    assert_accessible(manager)
    for path in (
        "setup/clinic",
        "setup/places",
        "setup/clinicians/ada",
        "setup/visit-types/new",
        "availability",
        "availability/1",
        "closures",
        "staff",
        "staff/1",
    ):
        manager.goto(f"{portal.address}/desk/{path}")
        assert_accessible(manager)


def test_what_is_wrong_and_what_somebody_else_did_is_accessible_too(portal, manager):
    address = f"{portal.address}/desk/setup/clinicians/ben"
    manager.goto(address)
    other = manager.context.new_page()
    other.goto(address)
    other.get_by_label("Role").fill("Headache nurse")
    follow(other.get_by_role("button", name="Save"))
    manager.get_by_label("Role").fill("Nurse of mine")
    follow(manager.get_by_role("button", name="Save"))
    expect(manager.get_by_role("heading", name="Somebody else changed this while you had it open")).to_be_visible()
    assert_accessible(manager)
    manager.get_by_label("Role").fill("")
    follow(manager.get_by_role("button", name="Save mine"))
    expect(manager.get_by_role("link", name="Role: Fill this in.")).to_be_visible()
    assert_accessible(manager)


def test_a_longer_visit_is_shown_in_the_diary_first_by_keyboard_alone(portal, manager):
    manager.goto(f"{portal.address}/desk/setup/visit-types/follow-up")
    manager.get_by_label("Length").fill("60")
    with manager.expect_navigation():
        manager.keyboard.press("Enter")
    expect(manager.get_by_text("This changes the diary")).to_be_visible()
    assert_accessible(manager)
    manager.get_by_label("Length").fill("45")
    with manager.expect_navigation():
        manager.keyboard.press("Enter")  # shows the new length, and confirms nothing
    expect(manager.get_by_text("This changes the diary")).to_be_visible()
    follow(manager.get_by_role("link", name="Leave it as it was"))
    expect(manager.get_by_label("Length")).to_have_value("30")
