"""People with one button left to press, and the means to press many at the same moment over real connections."""

from __future__ import annotations

import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import generate_csrf
from sqlalchemy import event, func, select

from portal.assessment.rules import Lane
from portal.assessment.services import record_answers
from portal.booking.models import TAKE_THE_SLOT, Appointment, BookingDraft
from portal.booking.services import Details, book
from portal.core import clock
from portal.core.crypto import new_token
from portal.core.db import db, transactional
from portal.referrals.services import start_journey
from portal.scheduling.free_times import SlotFilter, find_free_slots
from portal.scheduling.models import Slot
from portal.scheduling.queries import get_clinic
from portal.scheduling.remake import open_slots
from tests.visitor import Visitor

A_MOMENT = 0.05  # seconds
PATIENCE = 60  # seconds until somebody gives up on an answer
CONFIRMED = "/book/confirmed"


@dataclass(frozen=True)
class Person:
    """Somebody who has passed the safety question and typed everything, in a browser of their own."""

    journey_id: UUID
    key: str
    details: dict[str, str]
    cookie: str
    csrf_token: str

    def booking_of(self, slot_id: int) -> Post:
        """What the last button sends."""
        return Post("/book/check", self.cookie, {"csrf_token": self.csrf_token, "slot": slot_id, "key": self.key})


@dataclass(frozen=True)
class Post:
    """A form about to be sent; whoever does not `wait` for the answer leaves as soon as it is sent."""

    path: str
    cookie: str
    fields: dict[str, object]
    wait: bool = True


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    location: str | None
    page: str
    cookie: str | None

    @property
    def outcome(self) -> str:
        """Like "booked", "409 taken", or the beginning of what should not have come."""
        if self.status == 303:
            return "booked" if self.location == CONFIRMED else f"sent to {self.location}"
        return f"{self.status} {self._of_main('outcome') or self.page[:80]}"

    @property
    def reference(self) -> str | None:
        """Of the visit on the page."""
        return self._of_main("reference")

    def _of_main(self, name: str) -> str | None:
        found = re.search(rf'data-{name}="([^"]+)"', self.page)
        return found[1] if found else None


def send(address: str, post: Post, ready: Callable[[], object] = lambda: None) -> Answer | None:
    """Send a form by a connection of its own, opened before `ready` is waited for."""
    return _ask(address, "POST", post.path, post.cookie, urlencode(post.fields), ready, post.wait)


def look(address: str, path: str, cookie: str) -> Answer:
    """Open a page."""
    answer = _ask(address, "GET", path, cookie)
    assert answer is not None
    return answer


def send_together(address: str, posts: Sequence[Post]) -> list[Answer | None]:
    """Open a connection for each form, then send all at the same moment."""
    start = threading.Barrier(len(posts))
    with ThreadPoolExecutor(len(posts)) as people:
        return list(people.map(lambda post: send(address, post, lambda: start.wait(PATIENCE)), posts))


def do_together(app: Flask, *works: Callable[[], object]) -> list[object]:
    """What each work returns; all begin at the same moment, each in a request and a session of its own."""
    start = threading.Barrier(len(works))

    def do(work: Callable[[], object]) -> object:
        with app.test_request_context():
            start.wait(PATIENCE)
            return work()

    with ThreadPoolExecutor(len(works)) as people:
        return list(people.map(do, works))


@contextmanager
def lingering_after_each_look() -> Iterator[None]:
    """Meanwhile whoever looks takes a moment to do something about it, in which another comes to look, too."""

    def linger(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            time.sleep(A_MOMENT)

    event.listen(db.engine, "after_cursor_execute", linger)
    try:
        yield
    finally:
        event.remove(db.engine, "after_cursor_execute", linger)


def _ask(
    address: str,
    method: str,
    path: str,
    cookie: str,
    body: str | None = None,
    ready: Callable[[], object] = lambda: None,
    wait: bool = True,
) -> Answer | None:
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=PATIENCE)
    try:
        connection.connect()
        ready()
        connection.request(method, path, body, {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"})
        if not wait:
            return None
        response = connection.getresponse()
        page, renewed = response.read().decode(), response.headers["Set-Cookie"]
        location = response.headers["Location"]
        return Answer(response.status, location, page, renewed.partition(";")[0] if renewed else None)
    finally:
        connection.close()


@transactional
def prepare_people(app: Flask, count: int) -> list[Person]:
    """People with different names, each about to book; the time is theirs to say."""
    some_slot = db.session.scalar(select(func.min(Slot.id)))
    with app.test_request_context():
        csrf_token, known = generate_csrf(), dict(session)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    people = []
    for _ in range(count):
        draft = _begin_booking(some_slot)
        cookie = f"portal={signer.dumps({**known, 'journey': str(draft.journey_id)})}"
        people.append(Person(draft.journey_id, draft.idempotency_key, draft.details, cookie, csrf_token))
    return people


def _begin_booking(slot_id: int | None) -> BookingDraft:
    journey_id, key = start_journey(), new_token()
    record_answers(journey_id, {"red_flags_now": frozenset({"none"})})
    details = {**Visitor.DETAILS, "name": f"Patient {key}", "date_of_birth": "1980-05-17"}
    draft = BookingDraft(journey_id=journey_id, slot_id=slot_id, idempotency_key=key, details=details, complete=True)
    draft.changed_at = clock.now()
    db.session.add(draft)
    return draft


def book_for(person: Person, slot_id: int) -> UUID:
    """That person's visit, by its number."""
    visit = book(person.journey_id, slot_id, Details.from_json(person.details), person.key)
    db.session.remove()
    return visit.id


@transactional
def find_free(count: int) -> list[int]:
    """So many free times, the soonest first; the diary is opened as far ahead as it takes."""
    while len(slots := find_free_slots(SlotFilter(), Lane.CONSULT, limit=count)) < count:
        get_clinic().horizon_weeks *= 2
        open_slots()
    return [slot.id for slot in slots]


def count_visits() -> int:
    """How many visits take a slot."""
    return db.session.scalar(select(func.count()).where(Appointment.status.in_(TAKE_THE_SLOT))) or 0


def find_doubles() -> list[tuple[str, str]]:
    """Pairs of visits that one clinician has at the same time."""
    doubles, before = [], None
    visits = select(Appointment).join(Appointment.slot).where(Appointment.status.in_(TAKE_THE_SLOT))
    for visit in db.session.scalars(visits.order_by(Slot.provider_id, Slot.starts_at)):
        if before and before.slot.provider_id == visit.slot.provider_id and visit.slot.starts_at < before.slot.ends_at:
            doubles.append((before.reference, visit.reference))
        before = visit
    return doubles
