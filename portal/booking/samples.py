"""Every letter about a visit in every state, for `/dev/mail/`: made of a booking that is undone at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID, uuid4

from portal.booking import mails
from portal.booking.models import Appointment, Offer, OfferState, PatientRequest, RequestKind, Status, WaitlistEntry
from portal.booking.requests import BOOKED
from portal.booking.services import Details, build_appointment, find_or_build_patient
from portal.core import clock
from portal.core.crypto import new_token, token_hash
from portal.core.db import db, look_ahead
from portal.notifications.letters import Letter
from portal.notifications.models import MailState
from portal.notifications.queries import list_mail_about
from portal.notifications.services import queue_mail
from portal.scheduling.free_times import list_free_slots
from portal.scheduling.models import Slot, VisitType
from portal.scheduling.queries import get_slot
from portal.scheduling.set_up import get_set_up

JANE = Details("Jane Sample", date(1980, 5, 17), "jane@sample.example", "+12125550177", "call", "")
LANE = "consult"
ELSEWHERE = "Asia/Kolkata"


def write_samples() -> dict[str, Letter]:
    """The letters by what they tell; none when no two times are free to make them of."""
    times = list_free_slots(LANE, 2)
    slots = [slot for time in times if (slot := get_slot(time.id))]
    return look_ahead(lambda: dict(_write(*slots))) if len(slots) == 2 else {}


def _write(earlier: Slot, slot: Slot) -> Iterator[tuple[str, Letter]]:
    visit = build_appointment(slot, find_or_build_patient(JANE), new_token())
    slot.provider.email = "clinician@sample.example"
    offer, request, referred = _offer(visit, earlier), _request(), _request()
    referred.referred, referred.outcome = {"email": "office@sample.example"}, BOOKED
    db.session.add_all([visit, offer, request, referred])
    db.session.flush()
    letters = {
        "booked": mails.write_booked(visit.id, 0),
        "moved": mails.write_moved(visit.id, 0),
        "reminder": mails.write_reminder(visit.id, 0),
        "prepare": mails.write_prepare(visit.id, 0),
        "link": mails.write_link(visit.id, 0),
        "new link": mails.write_link(visit.id, 0, renewed=True),
        "offer": mails.write_offer(offer.id, 0),
        "request": mails.write_request(request.id, 0),
        "thanks": mails.write_thanks(referred.id, 0),
        "digest": mails.write_digest(UUID(int=slot.provider_id), slot.day.toordinal()),
    }
    queue_mail("offer", offer.id, 0)
    list_mail_about(offer.id)[0].state = MailState.SENT  # only who was told of it hears that it lapsed
    offer.state = OfferState.LAPSED
    letters["offer lapsed"] = mails.write_offer_lapsed(offer.id, 0)
    offer.state, visit.patient_zone = OfferState.OPEN, ELSEWHERE
    for visit_type in get_set_up().bookable_types(LANE, slot.visit_type.kind):
        visit.visit_type = earlier.visit_type = db.session.get_one(VisitType, visit_type.id)
        how = f"{visit_type.mode}, read elsewhere"
        letters[f"booked, {how}"] = mails.write_booked(visit.id, 0)
        letters[f"prepare, {how}"] = mails.write_prepare(visit.id, 0)
        letters[f"offer, {how}"] = mails.write_offer(offer.id, 0)
    for who in ("patient", "clinic"):
        visit.status, visit.cancel_reason = Status.CANCELLED, who
        letters[f"cancelled by the {who}"] = mails.write_cancelled(visit.id, 0)
    yield from ((name, letter) for name, letter in letters.items() if letter is not None)


def _offer(visit: Appointment, earlier: Slot) -> Offer:
    token, now = new_token(), clock.now()
    entry = WaitlistEntry(id=uuid4(), appointment=visit, wishes={}, joined_at=now)
    return Offer(
        id=uuid4(),
        entry=entry,
        slot=earlier,
        state=OfferState.OPEN,
        offered_at=now,
        answer_by=now + timedelta(hours=2),
        token=token,
        token_hash=token_hash(token),
    )


def _request() -> PatientRequest:
    return PatientRequest(
        id=uuid4(),
        kind=RequestKind.TIME,
        name=JANE.name,
        phone=JANE.phone,
        email=JANE.email,
        wishes={},
        idempotency_key=new_token(),
        asked_at=clock.now(),
    )
