"""What people do on the portal, one request after the other: the clients that benchmarks/web.py drives."""

from __future__ import annotations

import random
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from uuid import uuid4

from benchmarks.web_driver import Answer, Browser, Client

ARTICLE = "/articles/migraine"
HTMX = {"HX_Request": "true", "HX_Request_Type": "partial"}
TOKEN = re.compile(r'name="csrf_token"[^>]*? value="([^"]+)"')
KEY = re.compile(r'name="key"[^>]*? value="([^"]+)"')
SLOT = re.compile(r'name="slot" id="[^"]*" value="(\d+)"')
OPTION = re.compile(r'name="(\w+)" id="[^"]*" value="(\w+)"')

Step = Generator[bytes, Answer, Answer]


def read(browser: Browser, path: str, status: int = 200, **headers: str) -> Client:
    """One page."""
    answer = yield from browser.get(path, **headers)
    assert answer.status == status, (path, answer.status, answer.text[:300])


def post_once(browser: Browser, path: str, data: dict[str, str]) -> Client:
    """One form that leads on."""
    answer = yield from browser.post(path, data)
    assert answer.status == 303, (path, answer.status, answer.text[:300])


@dataclass
class Person:
    """Somebody who books."""

    browser: Browser
    name: str = field(default_factory=lambda: f"Patient {uuid4().hex[:12]}")
    token: str = ""
    page: str = ""
    last: dict[str, str] = field(default_factory=dict)  # the form of the next step

    def open(self, path: str) -> Generator[bytes, Answer, None]:
        """The page, or the one that it leads to."""
        answer = yield from self.browser.get(path)
        while answer.status in {302, 303}:
            path = answer.headers["location"]
            answer = yield from self.browser.get(path)
        assert answer.status == 200, (path, answer.status, answer.text[:300])
        self._see(path, answer)

    def send(self, path: str, **data: str) -> Generator[bytes, Answer, None]:
        """A form, and the page that it leads to."""
        answer = yield from self.browser.post(path, {"csrf_token": self.token, **data})
        if answer.status == 409:
            self._see(path, answer)
            return
        assert answer.status == 303, (path, answer.status, answer.text[:300])
        yield from self.open(answer.headers["location"])

    def pass_safety(self) -> Client:
        yield from self.open("/book/safety")
        yield from self.send("/book/safety", red_flags_now="none")

    def begin_assessment(self) -> Client:
        """To the second screen."""
        yield from self.open("/assessment/")
        yield from self.send("/assessment/")
        yield from self.send("/assessment/red_flags_now", red_flags_now="none", next="1")

    def whole_journey(self) -> Client:
        """Article, assessment, free times, booked."""
        yield from self.open(ARTICLE)
        yield from self.begin_assessment()
        while self.at.startswith("/assessment/") and self.at not in {"/assessment/check", "/assessment/result"}:
            yield from self.answer()
        yield from self.send("/assessment/check")
        assert self.at == "/assessment/result"
        yield from self.book()

    def answer(self) -> Client:
        """What stands on this screen: none of it, or skipped."""
        options = OPTION.findall(self.page)
        given = {question: "none" for question, option in options if option == "none"}
        skipped = {question for question, _ in options} - given.keys()
        yield from self.send(self.at.partition("?")[0], **given, **({"skip": "1"} if skipped else {"next": "1"}))

    def book(self) -> Client:
        """From the free times to the confirmation."""
        yield from self.fill_in()
        while self.at != "/book/confirmed":
            yield from self.send("/book/check", **self.last)
            if self.at != "/book/confirmed":
                yield from self.fill_in()

    def fill_in(self) -> Client:
        """From the free times to the last button."""
        yield from self.open("/book/")
        while self.at != "/book/details":
            yield from self.send("/book/", slot=random.choice(SLOT.findall(self.page)))
        details = {"name": self.name, "date_of_birth": "5/17/1980", "email": f"{self.name[8:]}@example.com"}
        yield from self.send("/book/details", **details, phone="212 555 0177", reach_by="call")
        assert self.at == "/book/check", self.page[:3000]
        key, slot = KEY.search(self.page), re.search(r'name="slot"[^>]*? value="(\d+)"', self.page)
        assert key is not None
        assert slot is not None
        self.last = {"key": key[1], "slot": slot[1]}

    def _see(self, path: str, answer: Answer) -> None:
        self.at, self.page = path, answer.text
        if found := TOKEN.search(self.page):
            self.token = found[1]


def answer_page(person: Person, given: dict[str, str], **headers: str) -> Client:
    """The screen where somebody is and the one after it, as a page or as what htmx puts into the page."""
    path = person.at.partition("?")[0]
    answer = yield from person.browser.post(path, {"csrf_token": person.token, **given}, **headers)
    if answer.status == 303:
        answer = yield from person.browser.get(answer.headers["location"], **headers)
    assert answer.status == 200, (answer.status, answer.text[:300])


def sign_in(person: Person, email: str, password: str) -> Client:
    """To the desk."""
    yield from person.open("/desk/sign-in")
    answer = yield from person.browser.post(
        "/desk/sign-in", {"csrf_token": person.token, "email": email, "password": password}
    )
    assert answer.status == 303, answer.text[:2000]


def smallest_booking(browser: Browser, slot: int) -> Client:
    """The booking that is measured against."""
    yield from post_once(browser, "/book", {"slot": str(slot), "name": "Jane Doe"})
