"""Availability is wall time: the clocks may change, the times offered do not."""

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from portal.core import clock
from portal.scheduling.models import Availability, Closure, Location, VisitType
from portal.scheduling.openings import Opening, Skipped, find_openings

ZONES = [
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Los_Angeles",
    "America/Phoenix",
    "Asia/Kolkata",
]


def availability(zone="America/New_York", rule="FREQ=WEEKLY;BYDAY=SU", opens=time(8), closes=time(11), minutes=60):
    return Availability(
        provider_id=1,
        location_id=1,
        rule=rule,
        opens=opens,
        closes=closes,
        valid_from=date(2027, 1, 1),
        location=Location(zone_key=zone),
        visit_type=VisitType(minutes=minutes),
    )


def openings(offered, first, last=None, closures=()):
    return list(find_openings(offered, closures, first, last or first))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date(2027, 3, 14), date(2027, 11, 7)], ids=["clocks go forward", "clocks go back"])
def test_the_times_on_the_wall_are_the_same_on_days_when_the_clocks_change(zone, day):
    found = openings(availability(zone), day)
    assert [o.starts_at.astimezone(ZoneInfo(zone)).time() for o in found] == [time(8), time(9), time(10)]


def test_a_time_that_the_clocks_skip_is_refused_with_the_reason():
    found = openings(availability(opens=time(1), closes=time(4), minutes=30), date(2027, 3, 14))
    refused = [opening for opening in found if isinstance(opening, Skipped)]
    assert [str(skip.wall.time()) for skip in refused] == ["01:30:00", "02:00:00", "02:30:00"]
    assert "does not exist on March 14" in refused[-1].reason


def test_of_a_time_that_comes_twice_the_first_is_meant():
    assert clock.instant(datetime(2027, 11, 7, 1, 30), ZoneInfo("America/New_York")).isoformat() == (
        "2027-11-07T05:30:00+00:00"
    )


def test_rules_may_be_every_second_week_or_the_first_of_a_month():
    biweekly = availability(rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=FR", closes=time(9))
    found = openings(biweekly, date(2027, 1, 1), date(2027, 1, 31))
    assert [o.starts_at.day for o in found] == [1, 15, 29]
    first_monday = availability(rule="FREQ=MONTHLY;BYDAY=1MO", closes=time(9))
    found = openings(first_monday, date(2027, 1, 1), date(2027, 3, 31))
    assert [(o.starts_at.month, o.starts_at.day) for o in found] == [(1, 4), (2, 1), (3, 1)]


def test_validity_dates_bound_the_rule():
    offered = availability(closes=time(9))
    offered.valid_from, offered.valid_until = date(2027, 1, 10), date(2027, 1, 24)
    assert [o.starts_at.day for o in openings(offered, date(2027, 1, 1), date(2027, 2, 28))] == [10, 17, 24]


def test_closures_skip_what_they_touch_for_whom_they_concern():
    lunch = Closure(starts=datetime(2027, 1, 3, 9, 30), ends=datetime(2027, 1, 3, 10), reason="Lunch")
    elsewhere = Closure(location_id=2, starts=datetime(2027, 1, 3), ends=datetime(2027, 1, 4), reason="Elsewhere")
    found = openings(availability(), date(2027, 1, 3), closures=[lunch, elsewhere])
    assert [type(opening) for opening in found] == [Opening, Skipped, Opening]
    assert found[1].reason == "Lunch"
