"""Sends requests as anybody, in this process or to a web server, and says what is wrong with an answer."""

from __future__ import annotations

import http.client
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from sqlalchemy import text

from portal.accounts.services import NoSuchAccount, reset_staff
from portal.audit.verification import verify
from portal.core.db import db
from portal.core.headers import ALWAYS
from tests.access.world import World
from tests.fuzz.requests import MARK, Shot, encode_form
from tests.referrals.test_open_redirects import leads_out
from tests.visitor import Form, Page, Visitor

LONGEST = 20.0  # seconds for an answer, on a machine that is busy with much else
STAFF = {"front desk", "manager", "Ada", "Ben"}
MARKUP = (f"<script>{MARK}", f"onerror={MARK}>", f"onload={MARK}>")


@dataclass
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    seconds: float

    def get(self, name: str) -> str:
        return next((value for known, value in self.headers if known.lower() == name.lower()), "")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


Send = Callable[[Visitor, Shot], Answer]


@dataclass
class Aim:
    """Shoots at a portal; `faults` are the errors it logged since the last shot."""

    world: World
    send: Send
    faults: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    sent: int = 0
    answered: Counter[tuple[str, int]] = field(default_factory=Counter)  # by method and status

    def shoot(self, shot: Shot) -> None:
        """Send it, and one form of the page that comes back; fails with what was wrong."""
        person = self._person(shot.actor)
        answer = self._send(person, shot)
        if shot.follow_form < 0 or shot.method == "HEAD" or not answer.get("Content-Type").startswith("text/html"):
            return
        forms = [form for form in Page(_Response(answer, shot.path)).forms if form.action.startswith("/")]
        if forms:  # what the page is about comes last
            self._send(person, _fill_in(forms[-1 - shot.follow_form % len(forms)], shot))

    def _send(self, person: Visitor, shot: Shot) -> Answer:
        self.faults.clear()
        answer = self.send(person, self._with_token(person, shot))
        self.sent += 1
        self.answered[shot.method, answer.status] += 1
        wrong = self._find_wrong(answer, shot)
        assert not wrong, f"{wrong}\n{shot}\n" + "\n".join(self.faults)
        if answer.status == 400:
            self.tokens.pop(shot.actor, None)
        if shot.actor in STAFF and "/desk/sign-in" in answer.get("Location"):
            self._let_in(person, shot.actor)
        return answer

    def _find_wrong(self, answer: Answer, shot: Shot) -> str:
        if answer.status >= 500 and not shot.path.startswith("/readyz"):
            return f"answered {answer.status}"
        ours = answer.status < 400 or answer.get("Content-Security-Policy")  # the web server refuses without one
        if ours and any(answer.get(name) != value for name, value in ALWAYS.items()):
            return "without the policy"
        if b"Traceback (most recent" in answer.body:
            return "shows a traceback"
        if "html" in answer.get("Content-Type") and any(markup in answer.text for markup in MARKUP):
            return "shows what was sent as markup"
        location = answer.get("Location")
        if leads_out(location) and urlsplit(location).hostname not in {"localhost", "127.0.0.1"}:
            return f"leads out to {location}"
        if any(MARK in value for name, value in answer.headers if name.lower() == "set-cookie"):
            return "sets a cookie that was asked for"
        return f"took {answer.seconds:.1f} s" if answer.seconds > LONGEST else ""

    def _person(self, actor: str) -> Visitor:
        return self.world.people.get(actor) or Visitor(self.world.app)

    def _let_in(self, person: Visitor, actor: str) -> None:
        """Whoever was shut out by a request of before comes back with a new password."""
        self.tokens.pop(actor, None)
        try:
            with self.world.app.app_context():
                password = reset_staff(f"{actor.replace(' ', '-').lower()}@clinic.example")
        except NoSuchAccount:
            return
        person.client._cookies.clear()
        person.sign_in(f"{actor.replace(' ', '-').lower()}@clinic.example", password)

    def _with_token(self, person: Visitor, shot: Shot) -> Shot:
        if shot.method in {"GET", "HEAD"}:
            return shot
        if shot.actor not in self.tokens or shot.actor not in self.world.people:
            form = Page(person.client.get("/request/call-back")).forms[-1]
            self.tokens[shot.actor] = form.values["csrf_token"][0]
        return replace(shot, body=shot.body + b"&csrf_token=" + self.tokens[shot.actor].encode())


def _fill_in(form: Form, shot: Shot) -> Shot:
    """The form as the page has it, with some of its fields changed."""
    values = {name: values[0] for name, values in form.values.items() if values and name != "csrf_token"}
    values |= {name: options[0] for name, options in form.choices.items() if options and name not in values}
    names = list(values)
    values |= {names[place % len(names)]: value for place, value in shot.changes if names}
    body = encode_form([*values.items(), *form.buttons[:1]])
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    if form.method == "get":
        return Shot(shot.actor, "GET", f"{form.action.partition('?')[0]}?{body.decode()}")
    return Shot(shot.actor, "POST", form.action, body, kind)


def send_here(person: Visitor, shot: Shot) -> Answer:
    """In this process."""
    began = time.perf_counter()
    path, _, query = shot.path.partition("?")
    with person.client.open(
        path or "/", query_string=query, method=shot.method, data=shot.body, headers=shot.headers
    ) as response:
        return Answer(response.status_code, list(response.headers), response.data, time.perf_counter() - began)


def send_to(address: str) -> Send:
    """To a web server, with the cookies that the person has; those it sets are kept."""

    def send(person: Visitor, shot: Shot) -> Answer:
        began, parts = time.perf_counter(), urlsplit(address)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=2 * LONGEST)
        cookie = person.client.get_cookie("portal", domain="127.0.0.1")
        headers = {**({"Cookie": f"portal={cookie.value}"} if cookie else {}), **shot.headers, "Host": "127.0.0.1:8000"}
        headers = {name: value for name, value in headers.items() if name not in {"Expect", "Transfer-Encoding"}}
        try:
            with suppress(ConnectionError):  # what is too long is refused before it was read to its end
                connection.request(shot.method, shot.path, shot.body, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        if "Cookie" not in shot.headers:
            for line in response.headers.get_all("Set-Cookie") or ():
                for name, morsel in SimpleCookie(line).items():
                    person.client.set_cookie(name, morsel.value, domain="127.0.0.1")
        return Answer(response.status, response.getheaders(), body, time.perf_counter() - began)

    return send


class Faults(logging.Handler):
    """Collects the errors that the portal logs, with their tracebacks."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self._into.append("".join(traceback.format_exception(error)) if error else record.getMessage())


def find_damage(world: World) -> list[str]:
    """What does not hold any more in the database: two in one slot, a clinician in two places, a broken trail."""
    twice = """SELECT slot_id FROM appointment WHERE status NOT IN ('cancelled', 'entered-in-error')
               GROUP BY slot_id HAVING count(*) > 1"""
    over = """SELECT a.id FROM slot a JOIN slot b ON a.provider_id = b.provider_id AND a.id < b.id
              WHERE a.state IN ('held', 'booked') AND b.state IN ('held', 'booked')
              AND a.reserved_from < b.reserved_until AND b.reserved_from < a.reserved_until"""
    with world.app.app_context():
        damage = [
            f"{what}: {row}"
            for what, query in (("twice", twice), ("over", over))
            for row in db.session.execute(text(query))
        ]
        if (broken := verify().torn) is not None:
            damage.append(f"the audit trail breaks at {broken}")
        if db.engine.dialect.name == "sqlite":
            for check in ("integrity_check", "foreign_key_check"):
                damage += [str(row) for row in db.session.execute(text(f"PRAGMA {check}")) if row[0] != "ok"]
        db.session.remove()
    return damage


class _Response:
    """An answer in the form in which a page reads it."""

    def __init__(self, answer: Answer, path: str) -> None:
        self.status_code, self.text, self.request = answer.status, answer.text, self
        self.path = path

    def close(self) -> None:
        """Nothing to close."""
