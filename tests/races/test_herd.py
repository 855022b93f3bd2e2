"""Fifty people send "book" for one time at the same moment, to several web processes.

One gets it, forty-nine get "taken" with the nearest free times, nobody gets an error. The control serves the same
herd from a portal that looks first and writes later, and must find double bookings. `make proof` does it for 200
times, one after the other.
"""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import text

from portal.core.db import db
from tests.conftest import settings_environment
from tests.races.crowd import count_visits, find_doubles, find_free, prepare_people, send_together
from tests.servers import web_server

HERD = 50
TIMES = 200
WORKERS = 4

pytestmark = pytest.mark.both_engines


def release_the_herd(portal, settings, times=1, served="wsgi:app"):
    """Send fifty bookings for each time at once; whoever has lost tries the next time. All answers."""
    slots, people = find_free(times), prepare_people(portal, HERD + times)
    db.session.remove()
    answers = []
    with web_server(settings_environment(settings), WORKERS, served, connections=HERD) as address:
        for slot_id in slots:
            herd, waiting = people[:HERD], people[HERD:]
            here = send_together(address, [person.booking_of(slot_id) for person in herd])
            people = [person for person, answer in zip(herd, here, strict=True) if answer.outcome != "booked"] + waiting
            answers += here
    return answers


def test_of_fifty_people_at_one_time_one_books_and_the_others_get_the_nearest_free_times(portal, settings):
    answers = release_the_herd(portal, settings)
    assert Counter(answer.outcome for answer in answers) == {"booked": 1, "409 taken": HERD - 1}
    assert all('name="slot"' in answer.page for answer in answers if answer.outcome != "booked")
    assert count_visits() == 1


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # one shows that it can fail
def test_the_control_that_looks_first_and_writes_later_books_the_time_twice(portal, settings):
    db.session.execute(text("DROP INDEX uq_appointment_active_slot"))
    db.session.commit()
    answers = release_the_herd(portal, settings, served="tests.races.faults:look_first_and_write_later()")
    assert Counter(answer.outcome for answer in answers)["booked"] == count_visits() > 1
    assert find_doubles()


@pytest.mark.proof
def test_of_fifty_people_at_each_of_two_hundred_times_two_hundred_book(portal, settings):
    answers = release_the_herd(portal, settings, TIMES)
    assert Counter(answer.outcome for answer in answers) == {"booked": TIMES, "409 taken": TIMES * (HERD - 1)}
    assert count_visits() == TIMES
    assert find_doubles() == []
