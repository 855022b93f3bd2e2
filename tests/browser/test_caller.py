"""Booking a caller in a real browser: by keyboard alone, by touch, and without JavaScript."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from portal.booking.models import Patient
from portal.booking.services import Details, find_or_build_patient
from portal.core.db import db, transactional
from tests.browser.conftest import DESKTOP, assert_accessible, follow


@pytest.fixture
def desk(open_browser, portal):
    """Somebody signed in at the desk, at the page of a new call."""

    def open_desk(javascript=True, **options):
        page = open_browser(javascript, **options)
        portal.sign_in(page)
        page.goto("/desk/book")
        return page

    return open_desk


def press(page, *keys):
    """Press keys, and say how many there were; a text counts as one."""
    for key in keys:
        if key in {"Tab", "Enter", "Space"}:
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)
    return len(keys)


def test_by_keyboard_alone_with_six_fields_and_few_keys(desk):
    page = desk(viewport=DESKTOP)
    expect(page.locator("#name")).to_be_focused()
    fields = page.locator(".call :is(input, select, textarea):visible")
    names = {field.get_attribute("name") for field in fields.all()}
    assert names == {"name", "date_of_birth", "phone", "email", "red_flags_now"}  # the sixth is the time
    keys = press(page, "Kay Keyboard", "Tab", "4/2/1970", "Tab", "212 555 0133", "Tab", "Tab", "Tab", "Space")
    expect(page.get_by_label("None of these")).to_be_checked()
    keys += press(page, *["Tab"] * 6, "Enter")
    expect(page.locator(".chosen")).to_be_focused()
    expect(page.locator(".chosen")).to_contain_text("Held for this call until")
    keys += press(page, *["Tab"] * 4)
    expect(page.get_by_role("button", name="Book", exact=True)).to_be_focused()
    with page.expect_navigation():
        keys += press(page, "Enter")
    expect(page.locator("main")).to_have_attribute("data-outcome", "booked")
    expect(page.locator("h1")).to_be_focused()
    assert keys <= 22
    assert_accessible(page)


def test_who_is_known_is_found_while_typing_and_filled_in(desk, portal):
    page = desk()
    known(portal, "Ida Known", "646 555 0144")
    page.locator("#name").press_sequentially("ida")
    page.get_by_role("button", name="Use this one (Ida Known)").click()
    expect(page.locator("#phone")).to_have_value("(646) 555-0144")
    expect(page.locator("#matches")).to_contain_text("Known patient")
    assert_accessible(page)
    assert "ida" not in page.url


def test_a_sign_says_what_to_say_and_a_slip_loses_nothing(desk):
    page = desk()
    page.fill("#name", "Sam Sign")
    page.locator(".time-button").first.click()
    expect(page.locator(".chosen")).to_be_visible()
    page.get_by_label("Fever with a stiff neck").check()
    page.get_by_role("button", name="A sign: what to say").click()
    expect(page.get_by_role("heading", name="Call 911 now")).to_be_focused()
    assert_accessible(page)
    page.get_by_role("button", name="It was a slip").click()
    expect(page.locator("#name")).to_have_value("Sam Sign")
    expect(page.locator(".chosen")).to_contain_text("Held for this call")
    page.get_by_role("button", name="Another time").click()
    expect(page.locator(".time-button").first).to_be_visible()


def test_every_part_of_the_page_is_accessible_and_narrow_phones_show_it_whole(desk):
    page = desk()
    assert_accessible(page)
    page.get_by_text("What suits").click()
    page.select_option("#filter-mode", "phone")
    expect(page.locator(".time-buttons").first).to_contain_text("First consult by phone")
    assert_accessible(page)
    page.get_by_role("button", name="at another time").click()
    expect(page.locator("#own_reason")).to_be_visible()
    assert_accessible(page)
    page.goto(f"/desk/why?clinician=ada&place=east&day={date.today() - timedelta(days=7)}&time=09:00")
    expect(page.locator("section[role=status]")).to_contain_text("This time has passed.")
    assert_accessible(page)


def test_without_javascript_each_step_is_a_button(desk, portal):
    known(portal, "Nora Plain", "646 555 0155")
    page = desk(javascript=False)
    page.fill("#name", "nora")
    follow(page.get_by_role("button", name="Look for this person"))
    follow(page.get_by_role("button", name="Use this one (Nora Plain)"))
    page.get_by_label("None of these").check()
    follow(page.locator(".time-button").nth(1))
    expect(page.locator(".chosen")).to_contain_text("Held for this call until")
    follow(page.get_by_role("button", name="Book", exact=True))
    expect(page.locator("main")).to_have_attribute("data-outcome", "booked")
    follow(page.get_by_role("link", name="Book another for this caller"))
    expect(page.locator("#name")).to_have_value("Nora Plain")


def test_two_records_are_compared_side_by_side(desk, portal):
    first = known(portal, "Olga Twice", "646 555 0166")
    known(portal, "Olga T. Twice", "646 555 0166")
    page = desk(viewport=DESKTOP)
    page.goto(f"/desk/patients/{first}")
    assert_accessible(page)
    follow(page.get_by_role("link", name="Compare with Olga T. Twice"))
    assert_accessible(page)
    follow(page.get_by_role("button", name="Merge"))
    expect(page.get_by_role("button", name="Undo this merge")).to_be_visible()
    assert_accessible(page)


def test_the_page_printed_for_a_caller_names_the_clinic_and_no_other_caller(desk, portal):
    page = desk(viewport=DESKTOP)
    for name, phone in (("Quinn Earlier", "646 555 0177"), ("Rae Printed", "646 555 0188")):
        patient = known(portal, name, phone)
        page.goto(f"/desk/book?patient={patient}")
        page.get_by_label("None of these").check()
        page.locator(".time-button").nth(2).click()
        expect(page.locator(".chosen")).to_be_visible()
        follow(page.get_by_role("button", name="Book", exact=True))
    expect(page.locator("#recent")).to_contain_text("Booked Quinn Earlier")
    page.emulate_media(media="print")
    printed = page.locator("body").inner_text()
    assert "Test Clinic" in printed
    assert "Rae Printed" in printed
    assert "Quinn Earlier" not in printed
    page.goto(page.locator("a", has_text="Open the day").get_attribute("href"))
    expect(page.locator("#recent")).to_be_hidden()


def known(portal, name, phone):
    """A patient's record, and its id."""
    digits = "+1" + "".join(c for c in phone if c.isdigit())
    with portal.app.app_context():
        patient = find_or_build_patient(Details(name, date(1970, 3, 4), None, digits, "call", ""))
        transactional(db.session.add)(patient)
        return db.session.scalar(select(Patient.id).where(Patient.name == name))
