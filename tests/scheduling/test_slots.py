"""Slots in the database: made once, never overlapping, whatever the code above does."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from portal.core.db import db
from portal.scheduling.diary import list_slot_rows
from portal.scheduling.free_times import find_free_slots
from portal.scheduling.models import Slot, SlotState
from portal.scheduling.queries import list_locations
from portal.scheduling.remake import open_slots
from portal.scheduling.services import SlotTaken, claim_slot, hold_slot

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]


def copy_of(slot, **changes):
    names = ("provider_id", "location_id", "visit_type_id", "starts_at", "ends_at", "day", "begins")
    values = {**{name: getattr(slot, name) for name in names}, **changes}
    return Slot(reserved_from=values["starts_at"], reserved_until=values["ends_at"], **values)


def a_slot():
    return db.session.scalars(select(Slot).where(Slot.state == "free").order_by(Slot.starts_at).offset(3)).first()


def test_opening_slots_again_makes_none_and_changes_none():
    before = db.session.execute(select(Slot.id, Slot.starts_at, Slot.state).order_by(Slot.id)).all()
    assert before
    assert open_slots().made == 0
    assert db.session.execute(select(Slot.id, Slot.starts_at, Slot.state).order_by(Slot.id)).all() == before


def test_tomorrow_more_slots_appear_at_the_horizon_and_booked_ones_stay(clock):
    booked = claim_slot(a_slot().id, None).id
    clock.shift(timedelta(days=7))
    assert open_slots().made > 0
    assert db.session.get(Slot, booked).state == SlotState.BOOKED


@pytest.mark.parametrize("shift", [-59, -30, 0, 30, 59])
def test_the_database_refuses_a_slot_that_overlaps_another_of_the_same_clinician(shift):
    slot = a_slot()
    minutes = timedelta(minutes=shift)
    db.session.add(copy_of(slot, starts_at=slot.starts_at + minutes, ends_at=slot.ends_at + minutes))
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_the_database_refuses_to_move_a_slot_onto_another():
    slot = a_slot()
    slot.ends_at = slot.reserved_until = slot.reserved_until + timedelta(minutes=30)
    with pytest.raises(IntegrityError):
        db.session.flush()


def test_slots_may_touch_and_clinicians_may_work_at_the_same_time():
    slot = a_slot()
    other = db.session.scalar(select(Slot.provider_id).where(Slot.provider_id != slot.provider_id))
    last = db.session.scalar(select(func.max(Slot.ends_at)).where(Slot.provider_id == slot.provider_id))
    db.session.add(copy_of(slot, provider_id=other))
    db.session.add(copy_of(slot, starts_at=last, ends_at=last + timedelta(minutes=30)))
    db.session.flush()


def test_the_database_refuses_a_second_active_appointment_in_a_slot(app):
    from sqlalchemy import text

    from tests.visitor import Visitor

    visitor = Visitor(app)
    visitor.pass_safety()
    visitor.book()
    row = dict(db.session.execute(text("SELECT * FROM appointment")).mappings().one())
    twin = {
        **row,
        "id": "0" * 32,
        "reference": "X",
        "ics_uid": "X",
        "idempotency_key": "X",
        "token_hash": "X",
        "one_of_kind": None,
    }
    names = ", ".join(twin)
    insert = text(f"INSERT INTO appointment ({names}) VALUES ({', '.join(':' + name for name in twin)})")
    with pytest.raises(IntegrityError, match=r"slot"):
        db.session.execute(insert, twin)
    db.session.rollback()
    db.session.execute(insert, {**twin, "status": "cancelled"})  # a cancelled one takes no time


def test_claiming_twice_is_refused_the_second_time():
    slot = a_slot()
    claim_slot(slot.id, None)
    with pytest.raises(SlotTaken):
        claim_slot(slot.id, None)


def test_a_journey_holds_one_slot_at_a_time():
    from portal.referrals.services import start_journey

    journey = start_journey()
    first, second = [slot.id for slot in find_free_slots(wanted(), "consult")][:2]
    hold_slot(first, journey)
    hold_slot(second, journey)
    held = db.session.scalars(select(Slot.id).where(Slot.held_by == journey)).all()
    assert held == [second]


def test_a_day_at_the_desk_is_the_day_on_the_wall_of_each_place():
    from datetime import date

    day, zones = date(2026, 11, 19), {place.id: place.zone for place in list_locations()}
    slots = list_slot_rows(day, day)
    assert slots
    assert {slot.starts_at.astimezone(zones[slot.location_id]).date() for slot in slots} == {day}


def wanted():
    from portal.scheduling.free_times import SlotFilter

    return SlotFilter()
