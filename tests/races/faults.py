"""The portal with one fault each: what the tests of this folder must be able to catch.

A test's control run serves one of these by its name, such as `tests.races.faults:look_first_and_write_later`.
"""

from __future__ import annotations

import time

from sqlalchemy import select, update

from portal import create_app
from portal.booking import services as booking
from portal.core.db import db
from portal.scheduling import services as scheduling
from portal.scheduling.models import Slot, SlotState

A_PAGE = 0.3  # seconds between a look and a write, in which the other processes come to look, too


def look_first_and_write_later():
    """To claim a slot is no conditional UPDATE."""
    genuine_book = booking.book

    def book(journey_id, slot_id, *details):
        state = db.session.scalar(select(Slot.state).where(Slot.id == slot_id))
        db.session.rollback()
        if state != SlotState.FREE:
            raise scheduling.SlotTaken(slot_id)
        time.sleep(A_PAGE)
        return genuine_book(journey_id, slot_id, *details)

    booking.book = book
    return claim_whatever_it_is()


def claim_whatever_it_is():
    """To claim a slot takes it from whoever has it."""

    def claim(statement, slot_id, holder, notice, leaving=None, until=None):
        held = until is not None
        values = {"state": SlotState.HELD if held else SlotState.BOOKED, "held_by": holder if held else None}
        db.session.execute(update(Slot).where(Slot.id == slot_id).values(**values, held_until=until))

    scheduling._claim = claim
    return create_app()


def linger():
    """No fault, but time: between the look at what is to be booked and its booking the same form comes again."""
    genuine_book = booking.book

    def book(*details):
        time.sleep(A_PAGE)
        return genuine_book(*details)

    booking.book = book
    return create_app()


def forget_keys():
    """A form that is sent again is not known again."""
    booking.queries.find_by_idempotency_key = lambda key: None
    return linger()


def book_in_two_transactions():
    """The slot is booked in one transaction, the visit written in the next."""
    genuine_book = booking._book

    def book(journey_id, slot_id, *details):
        if booking.find_own_booking(details[1], journey_id) is None:
            scheduling.claim_slot(slot_id, journey_id)
            time.sleep(A_PAGE)
        return genuine_book(journey_id, slot_id, *details)

    booking._book = book
    booking.claim_slot = lambda slot_id, holder: db.session.get(Slot, slot_id)
    return create_app()
