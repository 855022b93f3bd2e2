"""A portal served by real processes, a browser, and a real mailbox."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.assessment.services import record_answers
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.referrals.services import start_journey
from portal.scheduling.remake import open_slots
from tests import servers
from tests.conftest import make_settings, settings_environment, with_quick_hashes
from tests.visitor import Visitor

PHONE, DESKTOP, NARROW = {"width": 390, "height": 844}, {"width": 1280, "height": 900}, {"width": 320, "height": 700}
EXPECTED = re.compile(
    "status of 4|net::ERR_FAILED|Failed to fetch"
)  # what the console says of a 4xx, and of what a test stops


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
        person.be_signed_in(email, password or self.password)
        cookie = person.client.get_cookie("portal", domain=urlsplit(self.app.config["PORTAL"].address).hostname)
        page.context.add_cookies([{"name": "portal", "value": cookie.value, "url": self.address}])

    def answer(self, page: Page, answers: dict[str, frozenset[str]]) -> None:
        """Let a browser have given these answers of the assessment, without its pages."""
        with self.app.app_context():
            journey_id = start_journey()
            record_answers(journey_id, answers)
        signer = SecureCookieSessionInterface().get_signing_serializer(self.app)
        cookie = signer.dumps({"journey": str(journey_id)})
        page.context.add_cookies([{"name": "portal", "value": cookie, "url": self.address}])

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


@pytest.fixture(scope="session")
def spare_browsers() -> dict[bool, list[BrowserContext]]:
    """With JavaScript and without: browsers that know nothing of anybody; to start one takes as long as five pages."""
    return {True: [], False: []}


def start_browser(browser: Browser, address: str, javascript: bool) -> BrowserContext:
    """A browser for many tests; its first window stays at the portal and so keeps running what shows its pages."""
    context = browser.new_context(java_script_enabled=javascript, base_url=address)
    context.new_page().goto("/healthz")
    return context


def forget_everything(context: BrowserContext, address: str) -> None:
    """Leave a browser as new, with its first window."""
    first, *others = context.pages
    for page in others:
        page.close()
    context.clear_cookies()
    developer = context.new_cdp_session(first)
    developer.send("Network.clearBrowserCache")
    developer.send("Storage.clearDataForOrigin", {"origin": address, "storageTypes": "all"})
    developer.detach()


@pytest.fixture
def open_browser(
    browser: Browser, portal: Portal, spare_browsers: dict[bool, list[BrowserContext]]
) -> Iterator[Callable[..., Page]]:
    """Open a browser window that fails the test on a foreign request or a console error."""
    in_use: list[tuple[BrowserContext, list[BrowserContext] | None]] = []
    complaints: list[str] = []

    def open_window(javascript: bool = True, viewport: dict[str, int] = PHONE, **options: object) -> Page:
        spare = None if options else spare_browsers[javascript]
        if spare is None:
            context = browser.new_context(java_script_enabled=javascript, base_url=portal.address, **options)
        else:
            context = spare.pop() if spare else start_browser(browser, portal.address, javascript)
        in_use.append((context, spare))
        page = context.new_page()
        page.set_viewport_size(viewport)
        page.on("request", lambda r: r.url.startswith(portal.address) or complaints.append(f"asked {r.url}"))
        page.on(
            "console",
            lambda m: m.type == "error" and not EXPECTED.search(m.text) and complaints.append(m.text),
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_window
    for context, spare in in_use:
        if spare is None:
            context.close()
        else:
            forget_everything(context, portal.address)
            spare.append(context)
    assert complaints == []


def follow(control: Locator) -> None:
    """Click what leads to a new page, and wait until that page has loaded."""
    with control.page.expect_navigation():
        control.click()


def look_with_axe(page: Page, *rules: str) -> None:
    """axe finds nothing, by these rules or by all."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    page.evaluate(AXE_SCRIPT)
    # What was found, without all that was looked at, which takes longer to bring here than to look at.
    violations = page.evaluate("options => axe.run(options).then(results => results.violations)", options)
    report = AxeResults({"violations": violations})
    assert not violations, f"{page.url} at {page.viewport_size}:\n{report.generate_report()}"


def assert_readable(page: Page) -> None:
    """axe finds enough contrast, which is all that other colours can change."""
    look_with_axe(page, "color-contrast")


def assert_accessible(page: Page) -> None:
    """axe finds nothing where the page is used most, and nothing runs out of it at the narrowest or at desktop width,
    or on a phone with letters twice as large.

    Patients' pages are asked at 320 px and the desk's at 1280; `make proof` asks each at both.
    """
    before, usual = page.viewport_size, DESKTOP if "/desk/" in page.url else NARROW
    for viewport in (NARROW, DESKTOP):
        page.set_viewport_size(viewport)
        if viewport is usual or servers.PROOF:
            look_with_axe(page)
        assert_no_wider(page, f"{viewport['width']} px")
    if "/desk/" not in page.url:
        page.set_viewport_size(PHONE)
        with letters_twice_as_large(page):
            assert_no_wider(page, "390 px with a text of 32 px")
    page.set_viewport_size(before)


def assert_no_wider(page: Page, than: str) -> None:
    """Nothing runs out of the page, and no words out of the frame that stands around them."""
    overflow = page.evaluate(
        """() => [...document.querySelectorAll("html, main *")].filter((box) => {
          const style = getComputedStyle(box);
          const framed = box.matches("html") || parseFloat(style.borderLeftWidth);
          return framed && style.overflowX === "visible" && box.clientWidth && box.scrollWidth > box.clientWidth;
        }).map((box) => `${box.scrollWidth - box.clientWidth} px: ${box.tagName} ${box.className} ${box.innerText}`)"""
    )
    assert not overflow, f"{page.url} at {than} is too wide by {overflow}"


@contextmanager
def letters_twice_as_large(page: Page) -> Iterator[None]:
    """As somebody has set it in the browser's own settings."""
    developer = page.context.new_cdp_session(page)
    developer.send("Page.setFontSizes", {"fontSizes": {"standard": 32, "fixed": 26}})
    yield
    developer.send("Page.setFontSizes", {"fontSizes": {"standard": 16, "fixed": 13}})
    developer.detach()


@pytest.fixture
def open_desk(open_browser, portal):
    def open_desk(path, **options):
        page = open_browser(viewport=DESKTOP, **options)
        portal.sign_in(page)
        page.goto(path)
        return page

    return open_desk
