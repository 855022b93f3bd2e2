"""Somebody with a visit, and ways to look at what stands in the diary."""

from datetime import datetime

import pytest
from sqlalchemy import func, select

from portal.assessment.services import record_answers
from portal.booking import services as booking
from portal.booking.forms import DetailsForm
from portal.booking.models import Appointment
from portal.core.crypto import new_token
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.referrals.services import start_journey
from portal.scheduling.models import Slot, SlotState
from tests.visitor import Visitor


class Diary:
    """What the database says, read afresh each time."""

    def __init__(self, app):
        self.app = app

    def scalar(self, query):
        with self.app.app_context():
            return db.session.scalar(query)

    def all(self, query):
        with self.app.app_context():
            return list(db.session.scalars(query))

    def token(self, reference):
        return self.scalar(select(Appointment).where(Appointment.reference == reference)).token

    def slot_of(self, reference):
        """The slot of a visit."""
        return self.scalar(select(Appointment.slot_id).where(Appointment.reference == reference))

    def booked_slots(self):
        return self.all(select(Slot.id).where(Slot.state == SlotState.BOOKED))

    def mails(self):
        """The kinds of mail queued so far, in order; without those for the days before the visit."""
        kinds = self.all(select(OutgoingMail.kind).order_by(OutgoingMail.id))
        return [kind for kind in kinds if kind != "prepare" and not kind.startswith("reminder:")]

    def count(self, model, *where):
        return self.scalar(select(func.count()).select_from(model).where(*where))

    def slot_at(self, wall, code="new"):
        """The slot of a type that begins at that wall time, like "2026-11-20 09:00"."""
        begins = datetime.fromisoformat(wall)
        query = select(Slot.id).where(Slot.day == begins.date(), Slot.begins == begins.time())
        return str(self.scalar(query.where(Slot.visit_type.has(code=code))))


@pytest.fixture
def patient(visitor):
    """Somebody who sees the free times."""
    visitor.pass_safety()
    return visitor


@pytest.fixture
def other(app):
    """Somebody else, at a browser of their own, who sees them too."""
    other = Visitor(app)
    other.pass_safety()
    return other


@pytest.fixture
def diary(app):
    return Diary(app)


@pytest.fixture
def book(app, diary):
    """Book a visit at a wall time for a new person; the link in that person's mail, and the reference."""
    numbers = iter(range(1, 100))

    def book(wall, code="new", **details):
        number = next(numbers)
        name = {"name": f"Person Number {number}", "email": f"person{number}@example.com"}
        slot_id = int(diary.slot_at(wall, code))
        with app.test_request_context("/book/check", method="POST", data={**Visitor.DETAILS, **name, **details}):
            form = DetailsForm(meta={"csrf": False})
            assert form.validate(), form.errors
            journey_id = start_journey()
            record_answers(journey_id, {"red_flags_now": frozenset({"none"})})
            visit = booking.book(journey_id, slot_id, form.details(), new_token())
            return f"/visit/{visit.token}", visit.reference

    return book
