"""What changing the set-up does to the diary: previews that tell the truth, buffers, lengths, booked visits kept."""

from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from portal.core.db import db, transactional
from portal.scheduling.changes import (
    close,
    end_availability,
    preview,
    read_availability,
    reopen,
    save_availability,
)
from portal.scheduling.models import Availability, Closure, Provider, Slot, SlotState, VisitType
from portal.scheduling.queries import count_slots_to_come, find_slots_hit, list_availability
from portal.scheduling.remake import Changes, describe, describe_done, open_slots
from portal.scheduling.services import claim_slot, hold_slot, release_slot

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context", "clock")]
FRIDAY = date(2026, 11, 20)


def offered(day=FRIDAY):
    db.session.rollback()
    slots = db.session.scalars(select(Slot).where(Slot.day == day, Slot.offered).order_by(Slot.starts_at))
    return [f"{slot.begins:%H:%M}" for slot in slots]


def at(begins):
    return db.session.scalar(select(Slot).where(Slot.day == FRIDAY, Slot.begins == begins, Slot.offered))


@transactional
def change_type(code, **values):
    visit_type = db.session.scalar(select(VisitType).where(VisitType.code == code))
    for name, value in values.items():
        setattr(visit_type, name, value)


def sundays(opens=time(1, 30), closes=time(4)):
    known = db.session.scalar(select(Availability).where(Availability.provider.has(Provider.code == "ada")))
    ids = {name: getattr(known, name) for name in ("provider_id", "location_id", "visit_type_id")}
    return Availability(**ids, rule="FREQ=WEEKLY;BYDAY=SU", opens=opens, closes=closes, valid_from=date(2026, 11, 1))


def test_a_preview_says_what_is_created_skipped_and_refused_and_changes_nothing(clock):
    clock.move_to("2027-03-01T15:00:00Z")
    open_slots()
    before = db.session.scalar(select(func.count()).select_from(Slot))
    db.session.rollback()
    close(Closure(starts=datetime(2027, 3, 7), ends=datetime(2027, 3, 8), reason="Labor Day"))
    words = describe(preview(lambda: save_availability(sundays())))
    assert words.startswith("2 slots opened; ")
    assert "2 skipped: Labor Day" in words
    assert "2 refused: 02:30 does not exist on March 14 in America/New_York" in words
    assert db.session.scalar(select(func.count()).select_from(Slot)) == before
    assert describe(save_availability(sundays())) == words


def test_a_preview_of_ending_what_was_never_opened_counts_nothing_below_none():
    save_availability(sundays())
    beside = sundays(opens=time(2))
    assert save_availability(beside).clashes > 0
    seen = read_availability(beside)
    assert preview(lambda: end_availability(beside.id, date(2026, 11, 1), seen)) == Changes()


def test_one_slot_is_said_as_one_and_none_as_none():
    assert describe(Changes(made=1, withdrawn=1)) == "1 slot opened; 1 withdrawn"
    assert describe_done(Changes(withdrawn=1)) == "1 slot withdrawn"
    assert describe_done(Changes(withdrawn=2)) == "2 slots withdrawn"
    assert describe(Changes()) == describe_done(Changes()) == "no slot changed"


def test_closed_times_are_counted_as_withdrawn_and_not_as_free(clock):
    before = count_slots_to_come()
    claim_slot(at(time(9)).id, None)
    hold_slot(at(time(10)).id, uuid4())
    close(Closure(starts=datetime(2026, 11, 20, 11), ends=datetime(2026, 11, 20, 13), reason="Away"))
    db.session.rollback()
    expected = {"free": before["free"] - 4, "held": 1, "booked": 1, "withdrawn": before["withdrawn"] + 2}
    assert count_slots_to_come() == expected
    clock.shift(timedelta(minutes=11))  # the hold is over
    assert count_slots_to_come() == {**expected, "free": expected["free"] + 1, "held": 0}


def test_a_longer_visit_remakes_what_is_free_and_keeps_what_is_booked():
    booked = claim_slot(at(time(10)).id, None)
    change_type("new", minutes=90)
    changes = open_slots()
    assert changes.clashes > 0
    assert offered() == []  # both new times would run into the one that is booked
    assert db.session.get(Slot, booked.id).ends_at - booked.starts_at == timedelta(minutes=60)
    change_type("new", minutes=60)
    open_slots()
    assert offered() == ["09:00", "10:00", "11:00", "12:00"]


def test_buffers_stand_around_each_visit():
    change_type("new", minutes=45, buffer_before=5, buffer_after=10)
    open_slots()
    assert offered() == ["09:05", "10:05", "11:05", "12:05"]


def test_a_time_that_is_given_back_after_it_is_no_longer_offered_stays_out_of_the_diary():
    slot = claim_slot(at(time(10)).id, None)
    closure = Closure(starts=datetime(2026, 11, 20), ends=datetime(2026, 11, 21), reason="Ill")
    close(closure)
    assert [[hit.id for hit in hits] for hits in find_slots_hit([closure])] == [[slot.id]]
    release_slot(slot.id)
    assert offered() == []
    reopen(closure.id)
    assert offered() == ["09:00", "10:00", "11:00", "12:00"]


def test_a_closure_of_a_place_or_a_clinician_leaves_the_others_open():
    ben = db.session.scalar(select(Provider.id).where(Provider.code == "ben"))
    close(Closure(provider_id=ben, starts=datetime(2026, 11, 19), ends=datetime(2026, 11, 21), reason="Course"))
    assert offered(date(2026, 11, 19)) == []
    assert len(offered()) == 4


def test_a_booked_visit_stays_when_its_availability_is_gone_and_its_time_is_not_offered_again():
    slot = claim_slot(at(time(9)).id, None)
    for availability in list_availability():
        end_availability(availability.id, date(2026, 11, 1), read_availability(availability))
    assert offered() == []
    assert db.session.get(Slot, slot.id).state == SlotState.BOOKED
    release_slot(slot.id)
    assert offered() == []


def test_a_hold_that_lapses_on_a_withdrawn_time_makes_room_for_the_new_ones(clock):
    hold_slot(at(time(9)).id, uuid4())
    change_type("new", minutes=30)
    open_slots()
    assert "09:00" not in offered()
    clock.shift(timedelta(minutes=11))
    open_slots()
    assert offered()[:3] == ["09:00", "09:30", "10:00"]
