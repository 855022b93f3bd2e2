"""Mail to send: confirmations of visits, each for somebody else."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from portal.booking.announce import announce
from portal.booking.services import Details, build_appointment, find_or_build_patient
from portal.core.crypto import new_token
from portal.core.db import db, transactional
from portal.notifications.models import OutgoingMail
from portal.scheduling.services import claim_slot
from tests.races.crowd import find_free


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
