"""Ten people were offered the same earlier time, one after the other, and all ten accept at the same moment."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, text

from portal.booking import waitlist
from portal.booking.models import Appointment, Offer, OfferState, Status, WaitlistEntry
from portal.booking.services import Details, book
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.db import db, transactional
from portal.scheduling.queries import get_clinic
from tests.conftest import settings_environment
from tests.races.crowd import Post, find_free, prepare_people, send_together
from tests.servers import web_server

PEOPLE = 10
WORKERS = 4
TO_ANSWER = timedelta(minutes=15)

pytestmark = pytest.mark.both_engines


@transactional
def offer_by_day_and_night() -> None:
    clinic = get_clinic()
    clinic.quiet_from = clinic.quiet_until
    clinic.offer_minutes = TO_ANSWER.seconds // 60


def let_offers_lapse_but_the_last(people) -> int:
    """Each has a visit and was offered the same time before it; says which."""
    offer_by_day_and_night()
    begun = clock.now() - TO_ANSWER * (len(people) - 1)
    with time_machine.travel(begun, tick=False) as traveller:
        earlier, *later = find_free(2 * len(people) + 1)[len(people) :]
        for person, slot_id in zip(people, later, strict=True):
            visit = book(person.journey_id, slot_id, Details.from_json(person.details), person.key)
            waitlist.join(visit.id, Wishes())
        waitlist.offer_slot(earlier)
        for _ in people[1:]:
            traveller.shift(TO_ANSWER)
            waitlist.tend()
    return earlier


def accept_at_once(portal, settings, served="wsgi:app"):
    """The offers, the slot each person had, and the answers."""
    people = prepare_people(portal, PEOPLE)
    slot_id = let_offers_lapse_but_the_last(people)
    offers = db.session.scalars(select(Offer).where(Offer.slot_id == slot_id)).all()
    assert sorted(offer.state for offer in offers) == [OfferState.LAPSED] * (PEOPLE - 1) + [OfferState.OPEN]
    had = {offer.entry.appointment_id: offer.entry.appointment.slot_id for offer in offers}
    forms = [
        Post(f"/waitlist/{offer.token}/accept", person.cookie, {"csrf_token": person.csrf_token})
        for person, offer in zip(people, offers, strict=True)
    ]
    db.session.remove()
    with web_server(settings_environment(settings), WORKERS, served, connections=PEOPLE) as address:
        answers = send_together(address, forms)
    return slot_id, had, [answer.outcome for answer in answers]


def test_of_ten_people_who_accept_one_time_one_gets_it_and_nine_keep_visit_and_place(portal, settings):
    slot_id, had, outcomes = accept_at_once(portal, settings)
    visits = db.session.scalars(select(Appointment)).all()
    moved = [visit for visit in visits if visit.slot_id == slot_id]
    assert sorted(outcomes) == ["409 taken"] * (PEOPLE - 1) + [f"sent to /visit/{moved[0].reference}"]
    assert [visit.slot_id for visit in visits if visit not in moved] == [had[v.id] for v in visits if v not in moved]
    assert {visit.status for visit in visits} == {Status.BOOKED}
    closed = db.session.scalars(select(WaitlistEntry).where(WaitlistEntry.closed_at.is_not(None))).all()
    assert [entry.appointment_id for entry in closed] == [visit.id for visit in moved]


@pytest.mark.proof
def test_the_control_that_claims_without_asking_gives_the_time_to_several(portal, settings):
    db.session.execute(text("DROP INDEX uq_appointment_active_slot"))
    db.session.commit()
    _, _, outcomes = accept_at_once(portal, settings, "tests.races.faults:claim_whatever_it_is()")
    assert len([outcome for outcome in outcomes if outcome.startswith("sent to /visit/")]) > 1
