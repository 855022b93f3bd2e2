"""Somebody at a browser without JavaScript: follows links, fills in the forms of the page, sends them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse


@dataclass
class Form:
    """A form of the page: where it goes, and what it holds before anybody types."""

    action: str
    method: str
    values: dict[str, list[str]] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.main: dict[str, str | None] = {}
        self.forms: list[Form] = []
        self.links: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._text: str | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "main":
            self.main = dict(attributes)
        elif tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "form":
            self._form = Form(values.get("action", ""), values.get("method", "get"))
            self.forms.append(self._form)
        elif self._form is not None and tag == "option" and self._select:
            self._read_option(self._form, self._select, values)
        elif self._form is not None and "name" in values:
            self._read_field(self._form, tag, values)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._form is not None and self._text:
            self._form.values[self._text][0] += data.removeprefix("\r\n")

    def _read_option(self, form: Form, name: str, values: dict[str, str]) -> None:
        form.choices.setdefault(name, []).append(values.get("value", ""))
        if "selected" in values or name not in form.values:  # the first, where none is chosen
            form.values[name] = [values.get("value", "")]

    def _read_field(self, form: Form, tag: str, values: dict[str, str]) -> None:
        name, kind, value = values["name"], values.get("type", "text"), values.get("value", "")
        if tag == "button":
            form.buttons.append((name, value))
        elif kind in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(value)
            if "checked" in values:
                form.values.setdefault(name, []).append(value)
        elif tag == "select":
            self._select = name
        elif tag in {"input", "textarea"}:
            form.values.setdefault(name, []).append(value)
            self._text = name if tag == "textarea" else None


class Page:
    """A page as the visitor sees it."""

    def __init__(self, response: TestResponse) -> None:
        self.response = response
        self.status = response.status_code
        self.path = response.request.path
        self.text = response.text
        response.close()

    @cached_property
    def _read(self) -> _Reader:
        """What stands in it; most pages on the way somewhere are not looked at."""
        reader = _Reader()
        reader.feed(self.text)
        return reader

    @property
    def outcome(self) -> str | None:
        return self._read.main.get("data-outcome")

    @property
    def reference(self) -> str | None:
        return self._read.main.get("data-reference")

    @property
    def forms(self) -> list[Form]:
        return self._read.forms

    @property
    def links(self) -> list[str]:
        return self._read.links

    @property
    def heading(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text, re.DOTALL)
        return found[1].strip() if found else ""

    @property
    def form(self) -> Form:
        """The form that sends something, on a page with one."""
        return next(form for form in self.forms if form.method == "post")

    @property
    def errors(self) -> list[str]:
        return re.findall(r'class="error"[^>]*><span[^>]*>Error:</span> (.*?)</p>', self.text)

    @property
    def lasting(self) -> str:
        """The text without the code of this one answer, which an error page shows."""
        return re.sub(r"[0-9A-F]{8}\.</p>", "", self.text)

    def link(self, part: str) -> str:
        """The first link whose address has this part."""
        return next(link for link in self.links if part in link)


class Visitor:
    """One browser, with its cookies."""

    DETAILS = {
        "name": "Jane Doe",
        "date_of_birth": "5/17/1980",
        "email": "jane@example.com",
        "phone": "212 555 0177",
        "reach_by": "call",
        "note": "",
    }

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self.page: Page
        self._account: dict[str, str | None] = {}

    def open(self, path: str, **options: Any) -> Page:
        self.page = Page(self.client.get(path, follow_redirects=True, **options))
        return self.page

    def send(self, form: Form | None = None, **values: Any) -> Page:
        """Fill in the page's form and send it."""
        form = form or self.page.form
        data = {**form.values, **{name: value for name, value in values.items() if value is not None}}
        return self.post(form.action, data)

    def send_and_confirm(self, form: Form, **values: Any) -> Page:
        """Fill in a form that shows first what it does, and make what it shows."""
        page = self.send(form, **values)
        shown = next((again for again in page.forms if again.action == form.action and "shown" in again.values), None)
        return self.send(shown, confirmed="yes") if shown else page

    def post(self, path: str, data: dict[str, Any], **options: Any) -> Page:
        self.page = Page(self.client.post(path, data=data, follow_redirects=True, **options))
        return self.page

    def answer(self, **answers: Any) -> Page:
        """Walk through the assessment from its start to "check your answers", or to where it stops.

        A question without an answer here gets "none" where there is that option and is skipped otherwise.
        """
        self.open("/assessment/")
        self.send()
        for _ in range(20):
            if self.page.path in {"/assessment/check", "/assessment/result"}:
                break
            self.answer_page(answers)
        return self.page

    def answer_page(self, answers: dict[str, Any]) -> Page:
        """Answer what stands on this page."""
        form = self.page.form
        given = {}
        for question, options in form.choices.items():
            if question in answers:
                given[question] = answers[question]
            elif "none" in options:
                given[question] = "none"
        skip = {"skip": "1"} if form.choices.keys() - given.keys() else {"next": "1"}
        return self.send(form, **given, **skip)

    def finish(self, **answers: Any) -> Page:
        """Answer everything and open the result."""
        self.answer(**answers)
        return self.send() if self.page.path == "/assessment/check" else self.page

    def pass_safety(self) -> Page:
        """Answer only the safety question, as somebody does who books without the assessment."""
        self.open("/book/")
        return self.send(red_flags_now="none")

    def sign_in(self, email: str | None = None, password: str | None = None) -> Page:
        """Sign in to the desk and see today; once more as before when nobody is named, such as after a night."""
        self._account = {"email": email, "password": password} if email else self._account
        page = self.open("/desk/sign-in")
        return self.send(**self._account) if page.path == "/desk/sign-in" else page

    def be_signed_in(self, email: str, password: str) -> None:
        """Sign in by the one request that counts, without the pages around it, which other tests look at."""
        self._account = {"email": email, "password": password}
        config = self.client.application.config
        config["WTF_CSRF_ENABLED"] = False  # its token stands on the page before
        try:
            assert self.client.post("/desk/sign-in", data=self._account).status_code == 303
        finally:
            config["WTF_CSRF_ENABLED"] = True

    def remember(self) -> tuple[dict[Any, Any], dict[str, str | None]]:
        """The cookies and the account, to be as now again."""
        return dict(self.client._cookies or {}), self._account

    def be_as(self, browser: tuple[dict[Any, Any], dict[str, str | None]]) -> None:
        """Have the cookies and the account of a browser that was remembered."""
        self.client._cookies, self._account = dict(browser[0]), browser[1]

    def free_slots(self) -> list[str]:
        """The values of the free times on this page."""
        return next((form.choices["slot"] for form in self.page.forms if "slot" in form.choices), [])

    def hold(self, slot: str | None = None) -> Page:
        """Choose a time, the first when none is named."""
        if slot is None or not hasattr(self, "page") or self.page.path != "/book/":
            self.open("/book/")
        form = next(form for form in self.page.forms if "slot" in form.choices)
        return self.send(form, slot=slot or form.choices["slot"][0])

    def fill_in(self, **details: str) -> Page:
        return self.send(**{**self.DETAILS, **details})

    def book(self, slot: str | None = None, **details: str) -> Page:
        """From the free times to the confirmation."""
        self.hold(slot)
        self.fill_in(**details)
        return self.send()
