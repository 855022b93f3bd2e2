"""One person's last button, pressed fifty times at once; half of the presses leave before the answer comes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from portal.booking.models import Appointment, Patient
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from tests.conftest import settings_environment
from tests.races.crowd import find_free, prepare_people, send_together
from tests.servers import web_server

PRESSES = 50
WORKERS = 4

pytestmark = pytest.mark.both_engines


def press_fifty_times(portal, settings, served, wait_for):
    """The outcomes of the answers that were waited for: every one, every second …"""
    (slot_id,), (person,) = find_free(1), prepare_people(portal, 1)
    db.session.remove()
    form = person.booking_of(slot_id)
    forms = [replace(form, wait=number % wait_for == 0) for number in range(PRESSES)]
    with web_server(settings_environment(settings), WORKERS, served, connections=PRESSES) as address:
        answers = send_together(address, forms)
    return [answer.outcome for answer in answers if answer is not None]


def count(model, **values):
    return db.session.scalar(select(func.count()).select_from(model).filter_by(**values))


def test_a_form_sent_fifty_times_books_once_and_each_answer_says_so(portal, settings):
    assert press_fifty_times(portal, settings, "tests.races.faults:linger()", wait_for=2) == ["booked"] * (PRESSES // 2)
    assert count(Appointment) == count(Patient) == count(OutgoingMail, kind="booked") == 1


def test_the_control_that_knows_no_form_again_says_that_the_persons_own_time_is_taken(portal, settings):
    assert "409 taken" in press_fifty_times(portal, settings, "tests.races.faults:forget_keys()", wait_for=1)
