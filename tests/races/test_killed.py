"""Web processes are killed in the middle of their work, while twenty people hold, book, move and cancel.

What an answer has said stands; what no answer has said is done as a whole or not at all. The control books in two
transactions and must be found out.
"""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.audit.verification import verify
from portal.booking.models import TAKE_THE_SLOT, Appointment, Status
from portal.core import clock
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.scheduling.models import Slot, SlotState
from portal.scheduling.services import HOLD
from tests.conftest import settings_environment
from tests.races.crowd import Answer, Person, Post, find_doubles, find_free, look, prepare_people, send
from tests.servers import web_server

CLIENTS = 20
WORKERS = 4
TRIES = 5

State = tuple[str, int] | None  # a visit's status and slot

pytestmark = pytest.mark.both_engines


@dataclass
class Story:
    """One person's visit: what it may be, by the answers that came and those that did not."""

    address: str
    person: Person
    may_be: set[State] = field(default_factory=lambda: {None})
    errors: list[str] = field(default_factory=list)

    def live(self, slots: list[int]) -> None:
        """Hold a time or not, book it, and then perhaps move the visit, cancel it, or both."""
        slot_id, other_id = random.sample(slots, 2)
        if chance(0.5):
            self.ask(Post("/book/", self.person.cookie, self.form(slot=slot_id)))
            if chance(0.2):
                return
        if self.change(self.person.booking_of(slot_id), "booked", (Status.BOOKED, slot_id)):
            self.change_mind(slot_id, other_id)

    def change_mind(self, slot_id: int, other_id: int) -> None:
        page = self.ask("/book/confirmed")
        if page is None:
            return
        visit = f"/visit/{page.reference}"
        if chance(0.5):
            move = Post(f"{visit}/move", page.cookie, self.form(slot=other_id))
            if self.change(move, f"sent to {visit}", (Status.BOOKED, other_id)):
                slot_id = other_id
        if chance(0.6) and self.may_be == {(Status.BOOKED, slot_id)}:
            cancel = Post(f"{visit}/cancel", page.cookie, self.form(choice="better", confirmed="yes"))
            # Once only: to cancel what is cancelled is refused.
            self.change(cancel, f"sent to {visit}", (Status.CANCELLED, slot_id), tries=1)

    def form(self, **fields: object) -> dict[str, object]:
        return {"csrf_token": self.person.csrf_token, **fields}

    def change(self, post: Post, outcome: str, state: State, tries: int = TRIES) -> bool:
        """Send a form that gives the visit this state; whether the answer says so."""
        before = self.may_be
        self.may_be = before | {state}
        answer = self.ask(post, tries)
        if answer is None:
            return False
        self.may_be = {state} if answer.outcome == outcome else before
        return answer.outcome == outcome

    def ask(self, what: Post | str, tries: int = TRIES) -> Answer | None:
        """The answer, tried again as people do; None where none came."""
        for _ in range(tries):
            try:
                answer = (
                    look(self.address, what, self.person.cookie) if isinstance(what, str) else send(self.address, what)
                )
            except (OSError, HTTPException):
                time.sleep(0.05)
                continue
            if answer.status >= 500 or answer.status == 400:
                self.errors.append(answer.outcome)
            return answer
        return None


def chance(likelihood: float) -> bool:
    return random.random() < likelihood


def live_and_kill(portal, settings, folder: Path, kills: int, pause: float, served="wsgi:app") -> list[Story]:
    """Kill a web process now and then while people book: their stories."""
    slots = find_free(40 + round(6 * kills * pause))
    db.session.remove()
    living = {"PORTAL_TEST_LIVING": str(folder), "GUNICORN_CMD_ARGS": "--config tests/races/living.py"}
    stories: list[Story] = []
    over, arriving = threading.Event(), threading.Lock()

    def live_on(address: str) -> None:
        """One after the other is here for the first time."""
        while not over.is_set():
            with arriving, portal.app_context():  # one by one: the test has not as many connections as people
                (person,) = prepare_people(portal, 1)
            stories.append(story := Story(address, person))
            story.live(slots)

    with (
        web_server({**settings_environment(settings), **living}, workers=WORKERS, app=served) as address,
        ThreadPoolExecutor(CLIENTS) as clients,
    ):
        lives = [clients.submit(live_on, address) for _ in range(CLIENTS)]
        try:
            kill_now_and_then(folder, kills, pause)
        finally:
            over.set()
    for life in lives:
        life.result()
    return stories


def kill_now_and_then(folder: Path, kills: int, pause: float) -> None:
    for _ in range(kills):
        time.sleep(pause * random.uniform(0.5, 1.5))
        process = random.choice(list(folder.iterdir()))
        os.kill(int(process.name), signal.SIGKILL)


def find_damage(stories: list[Story]) -> Iterator[str]:
    """What should not be, in words."""
    visits = {visit.idempotency_key: visit for visit in db.session.scalars(select(Appointment))}
    for story in stories:
        visit = visits.get(story.person.key)
        stands = (visit.status, visit.slot_id) if visit else None
        if stands not in story.may_be:
            yield f"{story.person.key}: may be {story.may_be}, is {stands}"
        yield from story.errors

    taken = {visit.slot_id for visit in visits.values() if visit.status in TAKE_THE_SLOT}
    booked = set(db.session.scalars(select(Slot.id).where(Slot.state == SlotState.BOOKED)))
    yield from (f"slot {slot_id} is booked by nobody" for slot_id in booked - taken)
    yield from (f"slot {slot_id} has a visit and is not booked" for slot_id in taken - booked)
    yield from (f"{one} and {other} are at the same time" for one, other in find_doubles())

    mailed = set(db.session.scalars(select(OutgoingMail.about_id).where(OutgoingMail.kind == "booked")))
    yield from (f"{visit.reference} has no mail" for visit in visits.values() if visit.id not in mailed)
    if (entry := verify().torn) is not None:
        yield f"the audit trail breaks at {entry}"
    if late := db.session.scalar(select(func.count()).where(Slot.held_until > clock.now() + HOLD)):
        yield f"{late} slots are held for too long"


def test_what_was_confirmed_stands_whenever_a_process_is_killed(portal, settings, tmp_path):
    stories = live_and_kill(portal, settings, tmp_path, kills=3, pause=1.3)
    assert list(find_damage(stories)) == []
    assert db.session.scalar(select(func.count()).where(Appointment.ics_sequence > 0))


@pytest.mark.proof
def test_what_was_confirmed_stands_when_a_process_is_killed_every_half_second_for_a_minute(portal, settings, tmp_path):
    stories = live_and_kill(portal, settings, tmp_path, kills=120, pause=0.5)
    assert list(find_damage(stories)) == []


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # one shows that it can fail
def test_the_control_that_books_in_two_transactions_leaves_times_that_nobody_has(portal, settings, tmp_path):
    served = "tests.races.faults:book_in_two_transactions()"
    for turn in range(4):  # on a busy machine few book, and a kill may meet nobody between the two
        (folder := tmp_path / str(turn)).mkdir()
        stories = live_and_kill(portal, settings, folder, kills=8, pause=0.5, served=served)
        if any("booked by nobody" in damage for damage in find_damage(stories)):
            return
    pytest.fail("no time was left that nobody has")
