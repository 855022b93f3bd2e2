"""Why a time is not bookable, in words; and times that are claimed though they are not offered."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.core.clock import instant
from portal.core.db import db, transactional
from portal.scheduling.changes import close
from portal.scheduling.models import Closure, Slot
from portal.scheduling.queries import find_location, find_provider, get_visit_type
from portal.scheduling.remake import open_slots
from portal.scheduling.services import (
    SlotTaken,
    TimeTaken,
    claim_slot,
    claim_time,
    hold_slot,
    release_holds,
    release_slot,
)
from portal.scheduling.why import Stops, explain, in_the_way

pytestmark = pytest.mark.usefixtures("app_context")


def why(wall, clinician="ada", place="east", visit_type=None):
    """The reasons for that wall time, such as "2026-11-20 09:00"."""
    reasons = explain(
        find_provider(clinician), find_location(place), datetime.fromisoformat(wall), get_visit_type(visit_type or "")
    )
    return [(reason.words, reason.stops) for reason in reasons]


def words(wall, **options):
    return " ".join(words for words, _ in why(wall, **options))


def slot_at(wall):
    begins = datetime.fromisoformat(wall)
    return db.session.scalar(select(Slot).where(Slot.day == begins.date(), Slot.begins == begins.time(), Slot.offered))


@transactional
def change(thing, **values):
    for name, value in values.items():
        setattr(thing, name, value)


def test_a_free_time_is_bookable():
    assert why("2026-11-20 09:00") == []


@pytest.mark.parametrize(
    ("wall", "says", "stops"),
    [
        ("2026-11-18 09:00", "This time has passed.", Stops.EVERYBODY),
        ("2027-03-14 02:30", "2:30 am does not exist on Sunday, March 14: the clocks go forward", Stops.EVERYBODY),
        ("2026-11-27 09:00", "It is closed then: Holiday.", Stops.WITHOUT_REASON),
        ("2026-11-19 09:00", "Ada Test, MD sees nobody at East on Thursday, November 19.", Stops.WITHOUT_REASON),
        (
            "2026-11-20 09:30",
            "No visit begins at 9:30 am. Ada Test, MD offers that day: "
            "First consult at 9:00 am, 10:00 am, 11:00 am and 12:00 pm.",
            Stops.WITHOUT_REASON,
        ),
        ("2026-12-14 09:00", "The diary is open until Wed, Dec 9, 2026; this is later.", Stops.WITHOUT_REASON),
        ("2026-11-18 11:00", "Patients book online up to 2 hours before; this is nearer.", Stops.ONLINE),
        ("2026-11-23 13:00", "Follow-up is not offered online. The desk can book it.", Stops.ONLINE),
    ],
)
def test_each_reason_is_said_with_whom_it_stops(wall, says, stops):
    found = [(words, how) for words, how in why(wall) if words.startswith(says)]
    assert [how for _, how in found] == [stops], why(wall)


def test_what_is_booked_or_held_is_said_with_its_time():
    claim_slot(slot_at("2026-11-20 09:00").id, None)
    hold_slot(slot_at("2026-11-20 10:00").id, uuid4())
    assert why("2026-11-20 09:00") == [("Ada Test, MD has a visit from 9:00 am to 10:00 am.", Stops.EVERYBODY)]
    assert "from 10:00 am to 11:00 am that somebody holds until 10:10 am" in words("2026-11-20 10:30")
    assert "has a visit" in words("2026-11-20 08:30", visit_type="new")  # it would last into it


def test_the_time_around_a_visit_is_said_to_be_needed():
    change(get_visit_type("new"), buffer_after=15)
    open_slots()
    claim_slot(slot_at("2026-11-20 09:00").id, None)
    assert "needs this time before or after a visit from 9:00 am to 10:00 am" in words("2026-11-20 10:05")


def test_a_full_day_is_said_to_be_full():
    claim_slot(slot_at("2026-11-20 09:00").id, None)
    change(find_provider("ada"), daily_cap=1)
    assert words("2026-11-20 11:00") == "The day is full: Ada Test, MD sees 1 at most."


def claim(wall, visit_type="new"):
    at = instant(datetime.fromisoformat(wall), find_location("east").zone)
    return claim_time(find_provider("ada").id, find_location("east").id, get_visit_type(visit_type), at)


def offered_hours(day="2026-11-20"):
    db.session.expire_all()
    query = select(Slot.begins).where(Slot.day == datetime.fromisoformat(day).date(), Slot.offered)
    return [begins.hour for begins in db.session.scalars(query.order_by(Slot.begins))]


def test_free_times_in_a_claimed_time_wait_until_it_is_left():
    slot = claim("2026-11-20 09:30")
    assert (slot.day.day, slot.begins.hour, slot.offered) == (20, 9, False)
    assert offered_hours() == [11, 12]
    open_slots()
    assert offered_hours() == [11, 12]
    release_slot(slot.id)
    assert offered_hours() == [9, 10, 11, 12]


def test_a_time_in_a_closure_and_beyond_a_full_day_can_be_claimed():
    change(find_provider("ada"), daily_cap=1)
    assert claim("2026-11-27 09:00").state == "booked"
    claim("2026-11-20 09:00")
    assert claim("2026-11-20 10:00").offered  # the very time on offer


def test_a_visit_or_a_hold_in_the_way_is_named_and_a_hold_that_has_run_out_is_not(clock):
    booked = claim_slot(slot_at("2026-11-20 09:00").id, None).id
    held = slot_at("2026-11-20 11:00").id
    hold_slot(held, uuid4())
    for wall, taken in (("2026-11-20 09:30", booked), ("2026-11-20 10:30", held)):
        with pytest.raises(TimeTaken) as error:
            claim(wall)
        assert error.value.slot.id == taken
    clock.shift(timedelta(minutes=11))
    assert claim("2026-11-20 10:30").id not in {booked, held}
    with pytest.raises(SlotTaken):
        claim_slot(held, None)


def test_a_hold_that_is_given_back_meanwhile_was_held_until_now():
    held, holder = slot_at("2026-11-20 11:00").id, uuid4()
    hold_slot(held, holder)
    with pytest.raises(TimeTaken) as error:
        claim("2026-11-20 10:30")
    release_holds(holder)
    db.session.expire_all()
    assert in_the_way(error.value.slot) == "a time from 11:00 am to 12:00 pm that somebody held until now"


def test_a_closed_day_says_so_whatever_is_offered():
    close(Closure(starts=datetime(2026, 11, 20), ends=datetime(2026, 11, 21), reason="Ill", provider_id=1))
    assert words("2026-11-20 09:00") == "It is closed then: Ill."
