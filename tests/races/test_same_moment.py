"""The desk and a patient, or two at the desk, do at the same moment what bears on the other: both are true afterwards.

Each of these failed on PostgreSQL while something was read before it was locked; SQLite has one writer in any case.
"""

from __future__ import annotations

import threading
import time
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.accounts.services import StaffRole, add_staff
from portal.booking import callers, changes, desk, erasure, patients, waitlist
from portal.booking import services as booking
from portal.booking.models import Appointment, Offer, Patient, VisitNote
from portal.booking.services import AlreadyBooked, Details
from portal.booking.wishes import Wishes
from portal.core.db import db, transactional
from portal.notifications.models import MailState, OutgoingMail
from portal.scheduling import changes as diary
from portal.scheduling import ranges, remake
from portal.scheduling.models import Closure, Slot
from portal.scheduling.queries import get_clinic
from tests.races.crowd import book_for, do_together, find_free, lingering_after_each_look, prepare_people

pytestmark = [pytest.mark.both_engines, pytest.mark.parametrize("engine", ["postgresql"], indirect=True)]


@pytest.fixture
def staff_id(portal):
    add_staff("desk@clinic.example", "Desk", StaffRole.FRONT_DESK)
    return db.session.scalar(select(User.id))


def try_together(portal, *works):
    """What each work returns or raises."""

    def attempt(work):
        try:
            return work()
        except Exception as error:
            return error

    with lingering_after_each_look():
        return do_together(portal, *[partial(attempt, work) for work in works])


def later(seconds, work):
    def do():
        time.sleep(seconds)
        return work()

    return do


def test_who_is_erased_while_another_record_is_merged_into_theirs_is_erased_whole_or_not_at_all(portal, staff_id):
    people = prepare_people(portal, 2)
    visits = [book_for(person, slot_id) for person, slot_id in zip(people, find_free(2), strict=True)]
    for visit_id in visits:
        desk.cancel(visit_id, 1, "patient", "", staff_id)
    desk.add_note(visits[1], "Words", staff_id)
    transactional(let_all_mail_have_left)()
    ids = [db.session.get(Appointment, visit_id).patient_id for visit_id in visits]
    db.session.remove()
    try_together(portal, partial(erasure.erase, ids[0], "asked"), partial(patients.merge, *ids, {}, staff_id))
    erased = {patient.id: patient.erased_at is not None for patient in db.session.scalars(select(Patient))}
    assert erased[ids[0]]
    noted = db.session.scalars(select(Appointment.patient_id).join(VisitNote)).all()
    assert [patient_id for patient_id in noted if erased[patient_id]] == []


def let_all_mail_have_left():
    db.session.execute(update(OutgoingMail).values(state=MailState.SENT))


@pytest.mark.parametrize("delay", [0, 0.2])
def test_a_caller_whose_record_is_merged_away_is_booked_on_the_one_that_stands(portal, staff_id, delay):
    slots, people = find_free(3), prepare_people(portal, 2)
    visits = [book_for(person, slot_id) for person, slot_id in zip(people, slots[:2], strict=True)]
    kept, merged = (db.session.get(Appointment, visit_id).patient_id for visit_id in visits)
    details, seen = Details.from_json(people[1].details), patients.read_contact(db.session.get(Patient, merged))
    db.session.remove()
    known = {"patient_id": merged, "seen": seen, "another": True}
    call = callers.Call(uuid4(), staff_id, details, slots[2], frozenset({"none"}), **known)
    merge = later(delay, partial(patients.merge, kept, merged, {}, staff_id))
    try_together(portal, partial(callers.book_for_caller, call), merge)
    booked = select(Patient).join(Appointment).where(Appointment.slot_id == slots[2])
    assert db.session.scalar(booked).merged_into_id is None


def test_who_books_two_times_in_two_browsers_is_told_of_the_one_that_stands(portal):
    people, slots = prepare_people(portal, 2), find_free(2)
    details = Details.from_json(people[0].details)
    told = try_together(
        portal, *[partial(booking.book, p.journey_id, s, details, p.key) for p, s in zip(people, slots, strict=True)]
    )
    assert {type(answer) for answer in told} == {Appointment, AlreadyBooked}


@pytest.mark.parametrize("delay", [0, 0.2, 0.4])
def test_nothing_is_offered_to_a_visit_that_is_cancelled_at_that_moment(portal, delay):
    transactional(let_no_hour_be_quiet)()
    earlier, *_, own = find_free(30)[20:]
    (person,) = prepare_people(portal, 1)
    visit_id = book_for(person, own)
    waitlist.join(visit_id, Wishes())
    db.session.remove()
    cancel = later(delay, partial(changes.cancel, visit_id, "other"))
    try_together(portal, partial(waitlist.offer_slot, earlier), cancel)
    assert db.session.scalar(select(Appointment.status)) == "cancelled"
    assert "open" not in db.session.scalars(select(Offer.state)).all()
    assert db.session.get(Slot, earlier).state == "free"


def let_no_hour_be_quiet():
    clinic = get_clinic()
    clinic.quiet_from = clinic.quiet_until


def close_half_a_day():
    """The times of a clinician's day that a closure has just withdrawn."""
    first = db.session.get(Slot, find_free(1)[0])
    of_day = (Slot.provider_id == first.provider_id, Slot.day == first.day, Slot.starts_at >= first.starts_at)
    slots = db.session.scalars(select(Slot).where(*of_day, Slot.offered).order_by(Slot.starts_at)).all()
    starts, ends = (
        at.astimezone(first.location.zone).replace(tzinfo=None) for at in (slots[0].starts_at, slots[-1].ends_at)
    )
    diary.close(Closure(provider_id=first.provider_id, starts=starts, ends=ends, reason="Meeting"))
    ids = [slot.id for slot in slots]
    db.session.remove()
    return ids


def list_closures():
    return db.session.scalars(select(Closure).where(Closure.reason == "Meeting")).all()


def test_two_who_open_two_times_of_one_closure_open_both(portal):
    ids = close_half_a_day()
    try_together(portal, partial(ranges.unblock, ids[:1]), partial(ranges.unblock, ids[-1:]))
    assert [db.session.get(Slot, slot_id).offered for slot_id in (ids[0], ids[-1])] == [True, True]


def test_a_time_opened_twice_leaves_one_closure(portal):
    ids = close_half_a_day()
    told = try_together(portal, *[partial(ranges.unblock, ids[:1])] * 2)
    assert [type(answer) for answer in told] == [tuple, tuple]
    assert len(list_closures()) == 1


def test_of_two_who_take_a_closure_back_one_is_told_that_there_is_none(portal):
    close_half_a_day()
    closure_id = list_closures()[0].id
    db.session.remove()
    told = try_together(portal, *[partial(diary.reopen, closure_id)] * 2)
    assert sorted(type(answer).__name__ for answer in told) == ["Changes", "LookupError"]


def test_a_time_in_which_the_clinic_cancels_stays_closed_though_the_diary_is_made_at_that_moment(
    portal, staff_id, monkeypatch
):
    (slot_id,), (person,) = find_free(1), prepare_people(portal, 1)
    visit_id = book_for(person, slot_id)
    look, cancelling = remake._slots_since, []

    def cancel():
        with portal.test_request_context():
            desk.cancel(visit_id, 1, "clinician", "", staff_id)

    def look_and_wait(*arguments):
        """Look at the slots once the other has had the time to cancel."""
        if not cancelling:
            cancelling.append(threading.Thread(target=cancel))
            cancelling[0].start()
            cancelling[0].join(2)
        return look(*arguments)

    monkeypatch.setattr(remake, "_slots_since", look_and_wait)
    remake.open_slots()
    cancelling[0].join()
    db.session.remove()
    assert not db.session.get(Slot, slot_id).offered
