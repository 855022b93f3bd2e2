"""The portal with its claim replaced by "look first, write later": what the race test must be able to catch.

Served in the control run of the herd, on a database without the index that would refuse a second
appointment; so what is seen there is what the conditional UPDATE prevents.
"""

from __future__ import annotations

import time

from sqlalchemy import select, update

from portal.booking import services as booking
from portal.core.db import db
from portal.scheduling import services as scheduling
from portal.scheduling.models import Slot, SlotState
from wsgi import app

genuine_book = booking.book


def look_then_book(journey_id, slot_id, *details):
    state = db.session.scalar(select(Slot.state).where(Slot.id == slot_id))
    db.session.rollback()
    if state != SlotState.FREE:
        raise scheduling.SlotTaken(slot_id)
    time.sleep(0.05)  # what any real page does between its look and its write
    return genuine_book(journey_id, slot_id, *details)


def write_whatever_it_is(slot_id, holder, **values):
    db.session.execute(update(Slot).where(Slot.id == slot_id).values(**values))


booking.book = look_then_book
scheduling._claim = write_whatever_it_is

__all__ = ["app"]
