"""Somebody of the front desk who signs in with password, app and recovery codes."""

import re
import time

import pytest
from passlib.totp import TOTP

from portal.accounts.services import StaffRole, add_staff
from portal.audit.models import AuditEntry
from portal.core.db import db
from tests.visitor import Visitor

EMAIL = "dee@clinic.example"


class App:
    """An authenticator app on somebody's phone, set up by typing the key that a page shows."""

    def __init__(self, page):
        self._totp = TOTP(key=re.search(r"and type: <code>([^<]+)</code>", page.text)[1])

    def code(self, seconds=0):
        return self._totp.generate(time.time() + seconds).token


@pytest.fixture
def engine():
    """What differs on another database is asked in the modules that are marked for both."""
    return "sqlite"


@pytest.fixture
def password(app):
    with app.app_context():
        return add_staff(EMAIL, "Dee Desk", StaffRole.FRONT_DESK)


@pytest.fixture
def dee(app, password):
    """Dee, signed in."""
    person = Visitor(app)
    person.sign_in(EMAIL, password)
    return person


@pytest.fixture
def set_up_app(clock):
    """Let somebody who is signed in set an app up; the app, and the recovery codes that are shown."""

    def set_up(person):
        person.open("/desk/second-factor")
        phone = App(person.send(form_to(person, "/desk/second-factor/app")))
        page = person.send(form_to(person, "/app/code"), code=phone.code())
        clock.shift(30)  # the next code: each counts once
        return phone, re.findall(r"<li><code>([\w-]+)</code></li>", page.text)

    return set_up


@pytest.fixture
def trail(app):
    """What the audit trail has noted, by action."""

    def actions():
        with app.app_context():
            return db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.id)).all()

    return actions


def form_to(person, action):
    return next(form for form in person.page.forms if form.action.partition("?")[0].endswith(action))


def copy_of(person, app):
    """A browser with a copy of somebody's cookies."""
    other = Visitor(app)
    for cookie in person.client._cookies.values():
        other.client.set_cookie(cookie.key, cookie.value, domain=cookie.domain, path=cookie.path)
    return other
