"""Mail to send: a few confirmations of visits, or many, each for somebody else."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from sqlalchemy import select

from portal.booking.announce import announce
from portal.booking.services import Details, build_appointment, find_or_build_patient
from portal.core.crypto import new_token
from portal.core.db import db, transactional
from portal.notifications.models import OutgoingMail
from portal.scheduling.services import claim_slot
from tests.races.crowd import find_free

FEW, MANY = 3, 100
few_and_many = pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.proof)])


@transactional
def queue_confirmations(count: int) -> list[str]:
    """So many people book; the Message-IDs of what they are to get, the first to leave first."""
    for number, slot_id in enumerate(find_free(count)):
        email = f"person{number}@example.com"
        details = Details(f"Person {number}", date(1980, 5, 17), email, "+12125550177", "call", "")
        visit = build_appointment(claim_slot(slot_id, None), find_or_build_patient(details), new_token())
        db.session.add(visit)
        db.session.flush()
        announce(visit, "booked")
    return [mail.message_id for mail in list_confirmations()]


def list_confirmations() -> list[OutgoingMail]:
    """The confirmations as they stand in the outbox."""
    return list(db.session.scalars(select(OutgoingMail).filter_by(kind="booked").order_by(OutgoingMail.id)))


def states() -> Counter[str]:
    """How many of them stand where."""
    db.session.remove()
    return Counter(mail.state for mail in list_confirmations())
