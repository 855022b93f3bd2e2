"""Mail workers are killed at every point of their work; others go on.

No mail is lost, and none arrives more often than once and once more for each kill, always with the same Message-ID.
The controls mark a mail before it has left, or name it anew each time, and must be found out. `make proof` does it
for 200 mails and 4 workers.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from portal.core.db import db
from portal.notifications.models import MailState, OutgoingMail
from tests import copies
from tests.conftest import portal_by_the_real_clock, settings_environment
from tests.notifications.dying import ANSWERED, CLAIMED, DOT_SAID, HALF_SAID, HANDED_OVER, POINTS
from tests.notifications.queued import queue_confirmations

pytestmark = pytest.mark.both_engines

FEW, MANY = 12, 200
KILLS = 20
PATIENCE = 90  # seconds until all should have left
MAY_HAVE_LEFT = {DOT_SAID, ANSWERED}


@dataclass
class Outcome:
    """What was queued, how often each mail arrived, and how the outbox tells it."""

    ids: list[str]
    arrived: Counter[str]
    states: Counter[str]
    kills: int

    @property
    def lost(self) -> set[str]:
        return set(self.ids) - set(self.arrived)

    @property
    def copies(self) -> int:
        """How many arrived beyond the first of each."""
        return self.arrived.total() - len(self.arrived)


@pytest.fixture
def portal(settings):
    with portal_by_the_real_clock(settings) as app:
        yield app


@pytest.fixture
def send_and_kill(portal, settings, server, tmp_path):
    def send_and_kill(count, workers, deaths, chance=1.0, flaw="", uncertain="resend") -> Outcome:
        """Queue mails and send them while workers die so many deaths at these points."""
        ids = queue_confirmations(count)
        files = [tmp_path / f"{point}.{number}" for point, times in deaths.items() for number in range(times)]
        for file in files:
            file.touch()
        environment = {
            **settings_environment(settings),
            "PORTAL_SMTP_URL": server.url,
            "PORTAL_MAIL_UNCERTAIN": uncertain,
            "PORTAL_TEST_DEATHS": str(tmp_path),
        }
        with mortal_workers(environment, workers, chance, flaw):
            wait_until_all_is({MailState.SENT, MailState.UNCERTAIN} if uncertain == "hold" else {MailState.SENT})
        left = list(tmp_path.iterdir())
        return Outcome(ids, Counter(server.message_ids), count_states(), len(files) - len(left))

    return send_and_kill


@contextmanager
def mortal_workers(environment: dict[str, str], workers: int, chance: float, flaw: str) -> Iterator[None]:
    process = copies.start("tests.notifications.dying", str(workers), str(chance), flaw, environment=environment)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.join()


def wait_until_all_is(states: set[MailState]) -> None:
    end = time.monotonic() + PATIENCE
    while count_states().keys() - states:
        assert time.monotonic() < end, count_states()
        time.sleep(0.1)


def count_states() -> Counter[str]:
    """How many confirmations are in which state."""
    db.session.remove()
    return Counter(db.session.scalars(select(OutgoingMail.state).filter_by(kind="booked")))


def test_no_mail_is_lost_when_workers_are_killed_at_every_point(send_and_kill):
    outcome = send_and_kill(FEW, workers=2, deaths=dict.fromkeys(POINTS, 1))
    assert outcome.kills == len(POINTS)
    assert outcome.arrived.keys() == set(outcome.ids)
    assert outcome.copies <= len(MAY_HAVE_LEFT)
    assert max(outcome.arrived.values()) <= 1 + len(MAY_HAVE_LEFT)


def test_the_control_that_marks_a_mail_before_it_has_left_loses_it(send_and_kill):
    outcome = send_and_kill(FEW, workers=2, deaths={HANDED_OVER: 1}, flaw="mark_before_the_dot")
    assert outcome.lost


@pytest.mark.proof
@pytest.mark.parametrize("point", ["nowhere", *POINTS])
def test_no_mail_of_many_is_lost_when_workers_are_killed_again_and_again(send_and_kill, point):
    kills = KILLS if point in POINTS else 0
    outcome = send_and_kill(MANY, workers=4, deaths={point: kills}, chance=0.25)
    assert outcome.kills == kills
    assert outcome.arrived.keys() == set(outcome.ids)
    assert outcome.copies <= (kills if point in MAY_HAVE_LEFT else 0)


@pytest.mark.proof
def test_where_doubt_is_left_to_the_desk_no_mail_ever_arrives_twice(send_and_kill):
    deaths = {CLAIMED: 5, HALF_SAID: 5, HANDED_OVER: 10, DOT_SAID: 10, ANSWERED: 10}
    outcome = send_and_kill(MANY, workers=4, deaths=deaths, chance=0.25, uncertain="hold")
    assert outcome.kills == sum(deaths.values())
    assert outcome.copies == 0
    assert len(outcome.lost) == deaths[HANDED_OVER]
    assert outcome.states == {MailState.SENT: MANY - 30, MailState.UNCERTAIN: 30}


@pytest.mark.proof
def test_the_control_that_names_a_mail_anew_is_seen_to_send_another_mail(send_and_kill):
    outcome = send_and_kill(FEW, workers=2, deaths={ANSWERED: 1}, flaw="name_it_anew")
    assert outcome.arrived.keys() - set(outcome.ids)


def test_a_worker_that_is_told_to_stop_finishes_the_mail_in_its_hands_and_no_more(portal, settings, server):
    queue_confirmations(FEW)
    server.pause = 0.05
    environment = {**settings_environment(settings), "PORTAL_SMTP_URL": server.url}
    worker = copies.start("flask", "--app", "wsgi", "mail", "worker", environment=environment)
    try:
        while not server.arrived:
            time.sleep(0.01)
        worker.terminate()
        worker.join(PATIENCE)
        assert worker.exitcode == 0
    finally:
        worker.kill()
    assert count_states().keys() == {MailState.SENT, MailState.QUEUED}
    assert len(server.arrived) < FEW
