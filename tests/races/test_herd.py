"""Fifty people send "book" for one time at the same moment, to several web processes.

One gets it, forty-nine get "taken" with the nearest free times, nobody gets an error. The control serves
the same herd from a portal that looks first and writes later, and must find double bookings.
"""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import pytest
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import func, select, text

from portal import create_app
from portal.assessment.services import record_answers
from portal.booking.models import Appointment, BookingDraft
from portal.core import clock
from portal.core.db import db, transactional
from portal.referrals.services import start_journey
from portal.scheduling.models import Slot
from portal.scheduling.remake import open_slots
from tests.conftest import settings_environment
from tests.servers import web_server
from tests.visitor import Visitor

HERD = 50
WORKERS = 4


@pytest.fixture
def portal(settings):
    """The tests' clinic by the real clock, for processes of their own cannot share a stopped one."""
    app = create_app(settings)
    with app.app_context():
        open_slots()
        yield app
        db.session.remove()
        db.engine.dispose()


@transactional
def a_booking_about_to_be_sent(slot_id: int, number: int) -> UUID:
    journey_id = start_journey()
    record_answers(journey_id, {"red_flags_now": frozenset({"none"})})
    details = {**Visitor.DETAILS, "name": f"Patient {number}", "date_of_birth": "1980-05-17"}
    draft = BookingDraft(
        journey_id=journey_id,
        slot_id=slot_id,
        idempotency_key=f"key-{number}",
        details=details,
        complete=True,
        changed_at=clock.now(),
    )
    db.session.add(draft)
    return journey_id


def cookie_for(app, journey_id):
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    return f"portal={signer.dumps({'journey': str(journey_id)})}"


class Client(threading.Thread):
    """One of the herd: opens the last page, waits for the others, presses the button."""

    def __init__(self, address, cookie, slot_id, start):
        super().__init__(daemon=True)
        self.address, self.cookie, self.slot_id, self.start_together = (
            urlsplit(address),
            cookie,
            slot_id,
            start,
        )
        self.outcome = "no answer"
        self.nearest = 0

    def run(self):
        connection = http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)
        _, page, cookie = self.request(connection, "GET", self.cookie)
        fields = dict(re.findall(r'name="(csrf_token|slot|key)" type="hidden" value="([^"]*)"', page))
        self.start_together.wait(60)
        status, page, cookie = self.request(connection, "POST", cookie, urlencode(fields))
        found = re.search(r'data-outcome="([^"]+)"', page)
        self.outcome = "booked" if status == 303 else f"{status} {found[1] if found else page[:80]}"
        self.nearest = page.count('name="slot"')
        connection.close()

    def request(self, connection, method, cookie, body=None):
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, "/book/check", body, headers)
        response = connection.getresponse()
        renewed = response.headers["Set-Cookie"]
        return response.status, response.read().decode(), renewed.partition(";")[0] if renewed else cookie


def release_the_herd(app, settings, served="wsgi:app"):
    """Send fifty bookings for one slot at once; the answers, and how many appointments stand."""
    slot_id = db.session.scalar(
        select(Slot.id)
        .where(Slot.starts_at > clock.now(), Slot.visit_type.has(code="new"))
        .order_by(Slot.starts_at.desc())
    )
    cookies = [cookie_for(app, a_booking_about_to_be_sent(slot_id, number)) for number in range(HERD)]
    db.session.remove()
    start = threading.Barrier(HERD)
    with web_server(settings_environment(settings), workers=WORKERS, app=served) as address:
        clients = [Client(address, cookie, slot_id, start) for cookie in cookies]
        for client in clients:
            client.start()
        for client in clients:
            client.join(120)
    booked = db.session.scalar(select(func.count()).select_from(Appointment).where(Appointment.slot_id == slot_id))
    return clients, booked


@pytest.mark.xdist_group("herd")
def test_of_fifty_people_at_one_time_one_books_and_the_others_get_the_nearest_free_times(portal, settings):
    clients, booked = release_the_herd(portal, settings)
    assert Counter(client.outcome for client in clients) == {"booked": 1, "409 taken": HERD - 1}
    assert booked == 1
    assert all(client.nearest > 0 for client in clients if client.outcome != "booked")


@pytest.mark.xdist_group("herd")
def test_the_control_that_looks_first_and_writes_later_books_the_time_twice(portal, settings):
    db.session.execute(text("DROP INDEX uq_appointment_active_slot"))
    db.session.commit()
    clients, booked = release_the_herd(portal, settings, served="tests.races.look_then_write:app")
    assert booked > 1
    assert Counter(client.outcome for client in clients)["booked"] == booked
