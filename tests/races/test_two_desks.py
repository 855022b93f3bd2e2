"""Two people at the desk book the same time for two callers at the same moment; one of them may be booking over it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.core.db import db
from portal.scheduling.queries import get_slot
from tests.conftest import settings_environment
from tests.races.crowd import Post, count_visits, find_doubles, find_free, send_together
from tests.servers import web_server
from tests.visitor import Visitor

TIMES, TIMES_OVER = 4, 2

pytestmark = pytest.mark.both_engines


@pytest.fixture
def desks(settings):
    """The cookies and tokens of two people at the desk; signed in before any context is open that would know them."""
    app = create_app(settings)
    return [sign_in(app, f"{name}@clinic.example") for name in ("one", "two")]


def sign_in(app, email):
    with app.app_context():
        password = add_staff(email, email, StaffRole.FRONT_DESK)
        db.session.remove()
    person = Visitor(app)
    person.open("/desk/sign-in")
    person.send(email=email, password=password)
    form = next(form for form in person.open("/desk/book").forms if form.action == "/desk/book")
    return f"portal={person.client.get_cookie('portal', domain='127.0.0.1').value}", form.values["csrf_token"][0]


def booking(desk, **time):
    """What the last button of a call sends, for a caller nobody knows."""
    (cookie, token), key = desk, str(uuid4())
    caller = {"name": f"Caller {key}", "phone": f"212555{uuid4().int % 10000:04}", "date_of_birth": "5/17/1980"}
    fields = {**caller, "somebody_new": "yes", "red_flags_now": "none", "call": key, "csrf_token": token}
    return Post("/desk/book", cookie, {**fields, "step": "book", **time})


def a_quarter_later(slot):
    """A time of its own that overlaps a slot."""
    begins = datetime.combine(slot.day, slot.begins) + timedelta(minutes=15)
    at = {"own_provider": slot.provider.code, "own_location": slot.location.code, "own_type": slot.visit_type.code}
    when = {"own_day": begins.date().isoformat(), "own_begins": f"{begins:%H:%M}"}
    return {"own_time": "yes", "own_reason": "In pain", **at, **when}


def test_of_two_desks_at_one_time_one_books_and_the_other_is_told(desks, portal, settings):
    slots = [get_slot(slot_id) for slot_id in find_free(TIMES + 2 * TIMES_OVER)]
    rounds = [(slot.id, {"slot": slot.id}, [{303: 1, 409: 1}]) for slot in slots[:TIMES]]
    for slot in slots[TIMES::2]:  # a time over one slot reaches into the next
        rounds.append((slot.id, a_quarter_later(slot), [{303: 1, 409: 1}, {303: 1, 422: 1}]))
    db.session.remove()
    with web_server(settings_environment(settings), workers=2, connections=2) as address:
        for slot_id, second, allowed in rounds:
            answers = send_together(address, [booking(desks[0], slot=slot_id), booking(desks[1], **second)])
            assert Counter(answer.status for answer in answers) in allowed, [answer.page for answer in answers]
    assert count_visits() == len(rounds)
    assert find_doubles() == []
