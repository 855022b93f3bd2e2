"""Two tabs of one person, or one button pressed twice, at the same moment: nothing is lost, nothing begun is double.

Both read before either writes, wherever they can. The control has no lock of the journey and must lose the sign.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.accounts.services import StaffRole, add_staff
from portal.assessment import services as assessment
from portal.assessment.answers import parse
from portal.assessment.models import Assessment, ResumeLink
from portal.assessment.questionnaire import SCREENS
from portal.assessment.rules import Lane
from portal.assessment.triage import evaluate
from portal.booking import desk, waitlist
from portal.booking import services as booking
from portal.booking.changes import allow_another
from portal.booking.models import Appointment, BookingDraft, Patient, VisitChange, WaitlistEntry
from portal.booking.own_address import correct_own_address
from portal.booking.services import Details
from portal.booking.wishes import Wishes
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.referrals.links import LinkFacts, make_link
from portal.referrals.models import ReferralLink
from portal.referrals.services import start_journey
from portal.scheduling.models import Slot
from tests.races.crowd import book_for, do_together, find_free, prepare_people

NO_SIGN = {"red_flags_now": frozenset({"none"})}
SIGN = {"red_flags_now": frozenset({"thunderclap"})}
ALL_SKIPPED = {question.id: frozenset() for screen in SCREENS for question in screen.questions}

pytestmark = pytest.mark.both_engines


def answer(given):
    """A journey with these answers."""
    journey_id = start_journey()
    assessment.record_answers(journey_id, given)
    db.session.remove()
    return journey_id


def tick_a_sign_and_answer_another(portal):
    """Where the journey then stands."""
    journey_id = answer(NO_SIGN)
    do_together(
        portal,
        partial(assessment.record_answers, journey_id, SIGN),
        partial(assessment.record_answers, journey_id, {"age_band": frozenset({"18_49"})}),
    )
    return assessment.standing_of(journey_id).lane


@pytest.mark.usefixtures("lingering")
def test_a_warning_sign_is_kept_whatever_else_is_answered_at_that_moment(portal):
    assert tick_a_sign_and_answer_another(portal) == Lane.EMERGENCY


@pytest.mark.usefixtures("lingering")
@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)  # SQLite has one writer in any case
def test_the_control_that_locks_nothing_loses_the_warning_sign(portal, monkeypatch):
    monkeypatch.setattr(assessment, "lock_journey", lambda journey_id: None)
    assert any(tick_a_sign_and_answer_another(portal) != Lane.EMERGENCY for _ in range(20))


@pytest.mark.usefixtures("lingering")
def test_a_finished_assessment_stays_as_it_was_judged_whatever_is_answered_at_that_moment(portal):
    journey_id = answer(ALL_SKIPPED | NO_SIGN)
    do_together(portal, partial(assessment.finish, journey_id), partial(assessment.record_answers, journey_id, SIGN))
    finished = db.session.scalar(select(Assessment).where(Assessment.finished_at.is_not(None)))
    assert finished.lane == evaluate(parse(finished.answers)).lane
    assert assessment.standing_of(journey_id).lane == Lane.EMERGENCY


@pytest.mark.usefixtures("lingering")
@pytest.mark.parametrize("begin", [assessment.start_over, partial(assessment.record_answers, given=NO_SIGN)])
def test_to_begin_an_assessment_twice_begins_one(portal, begin):
    journey_id = start_journey()
    db.session.remove()
    do_together(portal, *[partial(begin, journey_id)] * 2)
    assert count(Assessment) == 1


@pytest.mark.usefixtures("lingering")
def test_to_hold_a_time_twice_begins_one_booking_of_it(portal):
    (slot_id,), journey_id = find_free(1), answer(NO_SIGN)
    do_together(portal, *[partial(booking.choose_slot, slot_id, journey_id)] * 2)
    assert count(BookingDraft) == 1


@pytest.mark.usefixtures("lingering")
def test_to_hold_two_times_at_once_begins_a_booking_of_the_one_that_is_held(portal):
    slots, journey_id = find_free(2), answer(NO_SIGN)
    do_together(portal, *[partial(booking.choose_slot, slot_id, journey_id) for slot_id in slots])
    held = db.session.scalars(select(Slot.id).where(Slot.held_by == journey_id)).all()
    assert held == db.session.scalars(select(BookingDraft.slot_id)).all()


@pytest.mark.usefixtures("lingering")
def test_to_join_the_waiting_list_twice_takes_one_place_on_it(portal):
    (slot_id,), (person,) = find_free(1), prepare_people(portal, 1)
    visit = booking.book(person.journey_id, slot_id, Details.from_json(person.details), person.key)
    db.session.remove()
    do_together(portal, *[partial(waitlist.join, visit.id, Wishes())] * 2)
    assert count(WaitlistEntry) == 1


@pytest.mark.usefixtures("lingering")
def test_to_ask_for_a_way_back_twice_makes_one(portal):
    journey_id, key = answer(NO_SIGN), "a form"
    do_together(portal, *[partial(assessment.send_resume_link, journey_id, "jane@example.com", key)] * 2)
    assert count(ResumeLink) == count(OutgoingMail) == 1


@pytest.mark.usefixtures("lingering")
def test_two_visits_whose_addresses_are_corrected_to_the_same_both_stand(portal):
    people, visits = prepare_people(portal, 2), []
    for number, slot_id in enumerate(find_free(2)):
        slip = {**people[0].details, "email": f"jnae{number}@example.com", "phone": f"+1212555018{number}"}
        visits.append(book_for(replace(people[number], details=slip), slot_id))
    do_together(portal, *[partial(correct_own_address, visit_id, "jane@example.com") for visit_id in visits])
    assert db.session.scalars(select(Patient.email)).all() == ["jane@example.com"] * 2
    assert [visit.stands for visit in db.session.scalars(select(Appointment))] == [True] * 2


@pytest.mark.usefixtures("lingering")
def test_who_books_on_a_record_while_its_address_is_corrected_keeps_the_own_address(portal):
    slots, (person, again) = find_free(2), prepare_people(portal, 2)
    visit_id, details = book_for(person, slots[0]), Details.from_json(person.details)
    allow_another(visit_id)
    db.session.remove()
    do_together(
        portal,
        partial(correct_own_address, visit_id, "elsewhere@example.com"),
        partial(booking.book, again.journey_id, slots[1], details, again.key),
    )
    emails = select(Patient.email).join(Appointment).where(Appointment.id != visit_id)
    assert db.session.scalars(emails).all() == [details.email]


@pytest.mark.usefixtures("lingering")
def test_to_undo_twice_undoes_once_and_nobody_is_told_otherwise(portal):
    (slot_id,), (person,) = find_free(1), prepare_people(portal, 1)
    visit_id = book_for(person, slot_id)
    add_staff("desk@clinic.example", "Desk", StaffRole.FRONT_DESK)
    staff_id = db.session.scalar(select(User.id))
    desk.cancel(visit_id, 1, "patient", "", staff_id)
    change_id = db.session.scalar(select(VisitChange.id))
    db.session.remove()
    do_together(portal, *[partial(desk.undo, change_id, staff_id)] * 2)
    assert db.session.scalar(select(Appointment.status)) == "booked"
    assert db.session.scalars(select(VisitChange.kind).order_by(VisitChange.version)).all() == ["cancelled", "undone"]


@pytest.mark.usefixtures("lingering")
def test_to_make_a_link_twice_makes_one(portal):
    facts = LinkFacts("A leaflet", "print", "/assessment/")
    codes = do_together(portal, *[partial(make_link, facts)] * 2)
    assert len(set(codes)) == 1
    assert db.session.scalar(select(func.count()).where(ReferralLink.label == facts.label)) == 1


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))
