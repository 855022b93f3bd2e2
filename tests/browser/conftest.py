"""A portal served by real processes, a browser, and a real mailbox."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.scheduling.remake import open_slots
from tests import servers
from tests.conftest import make_settings, settings_environment, with_quick_hashes
from tests.visitor import Visitor

PHONE, DESKTOP, NARROW = {"width": 390, "height": 844}, {"width": 1280, "height": 900}, {"width": 320, "height": 700}


@dataclass
class Portal:
    """The portal as it runs for the browser."""

    address: str
    app: Flask
    mailbox: servers.Mailbox
    password: str

    def sign_in(self, page: Page, email: str = "desk@clinic.example", password: str | None = None) -> None:
        """Let a browser be signed in at the desk, without the page for it, which other tests look at."""
        person = Visitor(self.app)
        person.sign_in(email, password or self.password)
        cookie = person.client.get_cookie("portal", domain=urlsplit(self.app.config["PORTAL"].address).hostname)
        page.context.add_cookies([{"name": "portal", "value": cookie.value, "url": self.address}])

    def send_mail(self) -> None:
        with self.app.app_context():
            send_due_mail()


@pytest.fixture(scope="session")
def portal(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """One portal for all browser tests; each of them comes with a browser, and so a journey, of its own."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copyfile(sqlite_template, folder / "portal.db")
    with servers.smtp_server() as (smtp_url, mailbox):
        settings = make_settings(folder, smtp_url=smtp_url)
        app = with_quick_hashes(create_app(settings))
        with app.app_context():
            open_slots()  # by the real clock, as the server's processes have no other
            password = add_staff("desk@clinic.example", "Dee Desk", StaffRole.FRONT_DESK)
        with servers.web_server(settings_environment(settings)) as address:
            yield Portal(address, app, mailbox, password)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def open_browser(browser: Browser, portal: Portal) -> Iterator[Callable[..., Page]]:
    """Open a browser window that fails the test on a foreign request or a console error."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(javascript: bool = True, viewport: dict[str, int] = PHONE, **options: object) -> Page:
        context = browser.new_context(
            java_script_enabled=javascript, viewport=viewport, base_url=portal.address, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda r: r.url.startswith(portal.address) or complaints.append(f"asked {r.url}"))
        page.on(
            "console",
            lambda m: m.type == "error" and "status of 4" not in m.text and complaints.append(m.text),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_window
    for context in contexts:
        context.close()
    assert complaints == []


def follow(control: Locator) -> None:
    """Click what leads to a new page, and wait until that page has loaded."""
    with control.page.expect_navigation():
        control.click()


def assert_readable(page: Page) -> None:
    """axe finds enough contrast, which is all that other colours can change."""
    results = Axe().run(page, options={"resultTypes": ["violations"], "runOnly": ["color-contrast"]})
    assert results.violations_count == 0, f"{page.url}:\n{results.generate_report()}"


def assert_accessible(page: Page) -> None:
    """axe finds nothing where the page is used most, and nothing runs out of it at the narrowest or at desktop width.

    Patients' pages are asked at 320 px and the desk's at 1280; `make proof` asks each at both.
    """
    before, usual = page.viewport_size, DESKTOP if "/desk/" in page.url else NARROW
    for viewport in (NARROW, DESKTOP):
        page.set_viewport_size(viewport)
        if viewport is usual or servers.PROOF:
            results = Axe().run(page, options={"resultTypes": ["violations"]})
            assert results.violations_count == 0, f"{page.url} at {viewport['width']}:\n{results.generate_report()}"
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, f"{page.url} is {overflow} px too wide at {viewport['width']}"
    page.set_viewport_size(before)
