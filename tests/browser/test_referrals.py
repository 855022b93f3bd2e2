"""Pages of referrals: readable by everybody, on a phone and on a desk; a referral without JavaScript."""

import pytest
from sqlalchemy import select

from portal.accounts.services import StaffRole, add_staff
from portal.booking.models import PatientRequest
from portal.core import clock
from portal.core.db import db, transactional
from portal.referrals.models import DailyCount
from tests.browser.conftest import DESKTOP, assert_accessible, follow
from tests.conftest import some_of


@transactional
def store_counts():
    for code, count in (("leaflet", 40), ("partner", 25)):
        for reached in (3, 127):
            row = {"day": clock.now().date(), "what": "journey", "link_code": code, "reached": reached, "count": count}
            db.session.add(DailyCount(**row))


@pytest.fixture
def manager(portal, open_browser):
    with portal.app.app_context():
        store_counts()
        password = add_staff("owner@clinic.example", "Olive Owner", StaffRole.MANAGER)
    page = open_browser(viewport=DESKTOP)
    portal.sign_in(page, "owner@clinic.example", password)
    return page


def test_the_ledger_and_its_links_are_accessible(manager):
    for path in ("", "?by=week", "/links", "/links/leaflet"):
        manager.goto(f"/desk/referrals{path}")
        assert_accessible(manager)


@pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_an_office_refers_a_patient(portal, open_browser, javascript):
    page = open_browser(javascript)
    look = assert_accessible if javascript else str  # axe is a script itself
    page.goto("/refer/")
    look(page)
    follow(page.get_by_role("link", name="Refer one patient"))
    name = f"Ann Poe {javascript}"
    page.get_by_label("Name of your practice").fill("Dr. Lee")
    page.get_by_label("The patient’s name").fill(name)
    page.get_by_label("The patient’s phone").fill("212 555 0188")
    page.get_by_label("Pain in the face").check()
    page.get_by_label("Within two weeks").check()
    follow(page.get_by_role("button", name="Send the referral"))
    look(page)  # consent is missing
    page.get_by_label("The patient knows of this").check()
    page.wait_for_timeout(3100)  # nobody types this fast
    follow(page.get_by_role("button", name="Send the referral"))
    page.get_by_role("heading", name="Thank you").wait_for()
    look(page)
    with portal.app.app_context():
        (asked,) = [request for request in db.session.scalars(select(PatientRequest)) if request.name == name]
        assert asked.referred["soon"]


@pytest.mark.parametrize("theme", some_of(["dark", "dim"], "dim"))
def test_a_link_that_has_ended_is_friendly_when_light_hurts(portal, open_browser, theme):
    page = open_browser()
    page.context.add_cookies([{"name": "theme", "value": theme, "url": portal.address}])
    page.goto("/r/nothing")
    assert page.url.endswith("/r/")
    assert_accessible(page)
