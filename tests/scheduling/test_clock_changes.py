"""The days in 2027 on which clocks change: page, mail and calendar show the wall time that was asked for."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from sqlalchemy import delete, select, update

from portal.assessment.services import record_answers
from portal.booking import changes, waitlist
from portal.booking.models import Appointment, Offer
from portal.booking.services import Details, book
from portal.booking.wishes import Wishes
from portal.core.db import db, transactional
from portal.notifications.letters import write_letter
from portal.notifications.models import OutgoingMail
from portal.referrals.services import start_journey
from portal.scheduling.models import Availability, Closure, Location, Provider, Slot, VisitType
from portal.scheduling.openings import Opening, find_openings
from portal.scheduling.remake import open_slots
from tests.assessment.test_walk import NECK
from tests.servers import PROOF

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
FORWARD, BACK = date(2027, 3, 14), date(2027, 11, 7)
US_NAMES = {
    "America/New_York": ("EST", "EDT"),
    "America/Chicago": ("CST", "CDT"),
    "America/Denver": ("MST", "MDT"),
    "America/Los_Angeles": ("PST", "PDT"),
    "America/Phoenix": ("MST", "MST"),
    "Asia/Kolkata": ("IST", "IST"),
}
# A zone, the Sunday on which its clocks (or its neighbours') change, and what it is called before and from then on.
CHANGES = [
    *((zone, FORWARD, winter, summer) for zone, (winter, summer) in US_NAMES.items()),
    *((zone, BACK, summer, winter) for zone, (winter, summer) in US_NAMES.items()),
    ("Australia/Adelaide", date(2027, 4, 4), "ACDT", "ACST"),
    ("Australia/Adelaide", date(2027, 10, 3), "ACST", "ACDT"),
]
SKIPPED_HOUR = {  # from two to three in the morning
    **dict.fromkeys(("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"), FORWARD),
    "Australia/Adelaide": date(2027, 10, 3),
}
every_change = pytest.mark.parametrize(
    ("zone", "sunday", "before", "after"), CHANGES, ids=[f"{zone}-{sunday:%B}" for zone, sunday, *_ in CHANGES]
)


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@transactional
def work_around(sunday: date, zone: str) -> None:
    """Times from 9 to 12 on the Saturday, Sunday and Monday, in person and by phone, in that zone."""
    db.session.execute(delete(Availability))
    db.session.execute(delete(Closure))
    db.session.execute(update(Location).values(zone_key=zone))
    for who, place, what in (("ada", "east", "new"), ("ben", "west", "call")):
        db.session.add(
            Availability(
                provider=db.session.scalar(select(Provider).where(Provider.code == who)),
                location=db.session.scalar(select(Location).where(Location.code == place)),
                visit_type=db.session.scalar(select(VisitType).where(VisitType.code == what)),
                rule="FREQ=WEEKLY;BYDAY=SA,SU,MO",
                opens=time(9),
                closes=time(12),
                valid_from=sunday - 7 * DAY,
            )
        )
    db.session.flush()
    open_slots()


@pytest.fixture
def clinic_around(app, clock):
    """A clinic in that zone, on the Wednesday before the Sunday on which clocks change."""

    def clinic_around(sunday, zone):
        clock.move_to(datetime.combine(sunday - 4 * DAY, time(16), UTC))
        with app.app_context():
            work_around(sunday, zone)

    return clinic_around


def slot_at(day, wall, code="new"):
    query = select(Slot.id).where(Slot.day == day, Slot.begins == wall, Slot.offered)
    return db.session.scalar(query.where(Slot.visit_type.has(code=code)))


def in_words(day):
    return f"{day:%A, %B} {day.day}"


def the_visit():
    return db.session.scalar(select(Appointment).execution_options(populate_existing=True))


def the_letter():
    """The latest news of the visit, as it would leave now."""
    visit = the_visit()
    return write_letter("moved" if visit.ics_sequence else "booked", visit.id, visit.ics_sequence)


def wall_times(calendar, zone):
    event = Calendar.from_ical(calendar).walk("VEVENT")[0]
    return [event.decoded(name).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for name in ("DTSTART", "DTEND")]


def move_to(visitor, slot):
    """Move the visit by its page of free times."""
    reference = visitor.page.reference
    visitor.open(f"/visit/{reference}/move")
    choose = next(form for form in visitor.page.forms if "slot" in form.choices)
    assert visitor.send(choose, slot=str(slot)).reference == reference


def check_all_say_ten(app, visitor, zone, day, name):
    """Page, mail and calendar all say ten to eleven on that day, by the clocks of the place."""
    page = visitor.open(f"/visit/{visitor.page.reference}")
    assert f"<strong>{in_words(day)}</strong><br>10:00 am to 11:00 am {name}" in page.text
    with app.app_context():
        letter = the_letter()
    assert f"When:  {in_words(day)}, 10:00 am to 11:00 am {name}" in letter.text
    assert f"<strong>{in_words(day)}, 10:00 am</strong> to 11:00 am {name}" in letter.html
    assert in_words(day) in letter.subject
    ten_to_eleven = [datetime.combine(day, time(hour)) for hour in (10, 11)]
    assert wall_times(letter.calendar, zone) == ten_to_eleven
    assert wall_times(visitor.client.get(page.link("calendar.ics")).data, zone) == ten_to_eleven


@every_change
def test_a_visit_before_on_and_after_the_change_is_at_the_same_wall_time_everywhere(
    app, visitor, clinic_around, zone, sunday, before, after
):
    clinic_around(sunday, zone)
    days = [(sunday - DAY, before), (sunday, after), (sunday + DAY, after)]
    with app.app_context():
        slots = [slot_at(day, time(10)) for day, _ in days]
    visitor.pass_safety()
    for (day, name), slot in zip(days, slots, strict=True):
        (shown,) = [part for part in visitor.page.text.split("<section") if f'id="on-{day}"' in part]
        assert f'value="{slot}"' in shown
        assert f"<strong>10:00 am</strong> {name}" in shown
    visitor.hold(str(slots[0]))
    assert f"10:00 am to 11:00 am {before}" in visitor.page.text
    visitor.fill_in()
    assert f"Book {in_words(sunday - DAY)}, 10:00 am" in visitor.page.text
    visitor.send()
    check_all_say_ten(app, visitor, zone, *days[0])
    for (day, name), slot in zip(days[1:], slots[1:], strict=True):
        move_to(visitor, slot)
        check_all_say_ten(app, visitor, zone, day, name)


@pytest.mark.parametrize(
    ("sunday", "there"), [(FORWARD, [False, True, True]), (BACK, [True, False, False])], ids=["forward", "back"]
)
def test_who_lives_where_clocks_never_change_reads_the_own_time_where_it_differs(
    app, visitor, clinic_around, sunday, there
):
    clinic_around(sunday, "America/Denver")
    days = [sunday - DAY, sunday, sunday + DAY]
    with app.app_context():
        slots = [slot_at(day, time(10), "call") for day in days]
    visitor.finish(**NECK)
    visitor.open("/book/?zone=America/Phoenix")
    visitor.book(str(slots[0]))
    for day, slot, differs in zip(days, slots, there, strict=True):
        if day != days[0]:
            move_to(visitor, slot)
        page = visitor.open(f"/visit/{visitor.page.reference}")
        with app.app_context():
            letter = the_letter()
        for said in (page.text, letter.text, letter.html):
            assert (f"Where you are: {in_words(day)}, 9:00 am MST" in said) == ("Where you are" in said) == differs


@pytest.mark.parametrize(
    ("held_at", "until"),
    [("2027-03-14T06:55:00Z", "3:05 am EDT"), ("2027-11-07T05:55:00Z", "1:05 am EST")],
    ids=["the hour that is skipped", "the hour that comes twice"],
)
def test_a_hold_lasts_ten_minutes_and_says_until_when_by_the_new_clock(
    app, visitor, clinic_around, clock, held_at, until
):
    moment = datetime.fromisoformat(held_at)
    clinic_around(moment.date(), "America/New_York")
    clock.move_to(moment)
    visitor.pass_safety()
    visitor.hold()
    assert f"yours until <strong>{until}</strong>" in visitor.page.text
    assert f'data-until="{(moment + 10 * MINUTE).isoformat()}"' in visitor.page.text
    assert f"It is yours until {until}" in visitor.open("/book/").text
    clock.move_to(moment + 9 * MINUTE)
    assert f"yours until <strong>{until}</strong>" in visitor.open("/book/details").text
    clock.move_to(moment + 10 * MINUTE)
    assert "The 10 minutes are over" in visitor.open("/book/details").text


@transactional
def a_visit(number: int, slot_id: int) -> Appointment:
    journey = start_journey()
    record_answers(journey, {"red_flags_now": frozenset({"none"})})
    details = Details(f"P {number}", date(1980, 5, 17), f"p{number}@example.com", "+12125550177", "call", "")
    return book(journey, slot_id, details, uuid4().hex)


@every_change
def test_an_offer_of_the_evening_before_is_held_until_the_same_time_of_the_morning(
    app, visitor, clinic_around, clock, zone, sunday, before, after
):
    clinic_around(sunday, zone)
    clock.move_to(datetime.combine(sunday - DAY, time(20, 30), ZoneInfo(zone)))
    with app.app_context():
        given_back, waits = (a_visit(hour, slot_at(sunday + DAY, time(hour))) for hour in (9, 11))
        waitlist.join(waits.id, Wishes())
        changes.cancel(given_back.id, "time")
        offer = db.session.scalar(select(Offer))
        letter = write_letter("offer", offer.id, 0)
    until = f"{in_words(sunday)}, 9:30 am {after}"
    assert f"held for you until {until}" in letter.text
    assert f"held for you until <strong>{until}</strong>" in letter.html
    assert f"held for you until <strong>{until}</strong>" in visitor.open(f"/waitlist/{offer.token}").text


@every_change
def test_reminders_leave_at_the_same_time_of_the_day_on_both_sides(app, clinic_around, zone, sunday, before, after):
    clinic_around(sunday, zone)
    with app.app_context():
        a_visit(1, slot_at(sunday + DAY, time(10)))
        rows = db.session.execute(select(OutgoingMail.kind, OutgoingMail.not_before)).all()
    walls = {kind: moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for kind, moment in rows}
    assert walls["reminder:1"] == datetime.combine(sunday, time(9))
    assert walls["reminder:3"] == datetime.combine(sunday - 2 * DAY, time(9))


quarters = st.one_of(st.integers(0, 12), st.integers(0, 90))  # of an hour after midnight; the odd hours more often
weekdays = st.sets(st.integers(0, 6), min_size=1)
CODES = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def days_of(rule, first, until):
    """The days of a rule, counted by hand."""
    kind, wanted = rule
    days = [first + n * DAY for n in range((until - first).days + 1)]
    if kind == "first of the month":
        return [day for day in days if day.weekday() in wanted and day.day <= 7]
    monday = first - first.weekday() * DAY
    return [day for day in days if day.weekday() in wanted and ((day - monday).days // 7) % kind == 0]


def in_rfc_5545(rule):
    kind, wanted = rule
    if kind == "first of the month":
        return "FREQ=MONTHLY;BYDAY=" + ",".join(f"1{CODES[day]}" for day in sorted(wanted))
    return f"FREQ=WEEKLY;INTERVAL={kind};BYDAY=" + ",".join(CODES[day] for day in sorted(wanted))


SUNDAYS, ALL_YEAR = (1, {6}), date(2027, 1, 1)


@example("America/New_York", SUNDAYS, ALL_YEAR, 4, 20, 30, 0, 0)
@example("America/New_York", SUNDAYS, ALL_YEAR, 6, 20, 120, 0, 0)  # longer than what is left before the gap
@example("America/New_York", SUNDAYS, ALL_YEAR, 2, 20, 60, 60, 60)  # buffers across it
@example("Australia/Adelaide", SUNDAYS, ALL_YEAR, 0, 24, 45, 15, 0)
@example("America/Denver", (2, {6, 0}), date(2026, 12, 30), 36, 24, 50, 0, 10)
@example("Asia/Kolkata", ("first of the month", {0}), ALL_YEAR, 36, 16, 45, 5, 10)
@settings(max_examples=2000 if PROOF else 50, deadline=None, database=None, derandomize=not PROOF)
@given(
    zone=st.sampled_from([*US_NAMES, "Australia/Adelaide"]),
    rule=st.tuples(st.sampled_from([1, 2, "first of the month"]), weekdays),
    first=st.dates(date(2026, 12, 1), date(2027, 3, 1)),
    opens=quarters,
    lasts=st.integers(1, 24),
    minutes=st.sampled_from([15, 20, 30, 45, 50, 60, 90, 120]),
    before=st.sampled_from([0, 5, 15, 30, 60]),
    after=st.sampled_from([0, 10, 15, 60]),
)
def test_all_year_every_opening_shows_the_wall_time_that_was_asked_for(
    zone, rule, first, opens, lasts, minutes, before, after
):
    begins, ends = (datetime.min + 15 * MINUTE * n for n in (opens, min(opens + lasts, 95)))
    availability = Availability(
        provider_id=1,
        location_id=1,
        rule=in_rfc_5545(rule),
        opens=begins.time(),
        closes=ends.time(),
        valid_from=first,
        location=Location(zone_key=zone),
        visit_type=VisitType(minutes=minutes, buffer_before=before, buffer_after=after),
    )
    found = list(find_openings(availability, (), ALL_YEAR, date(2027, 12, 31)))
    takes = (before + minutes + after) * MINUTE
    asked = [
        datetime.combine(day, begins.time()) + before * MINUTE + n * takes
        for day in days_of(rule, first, date(2027, 12, 31))
        if day >= ALL_YEAR
        for n in range((ends - begins) // takes)
    ]
    assert len(found) == len(asked)
    for wall, opening in zip(asked, found, strict=True):
        check_opening(opening, wall, zone, minutes, before, after)
    openings = [opening for opening in found if isinstance(opening, Opening)]
    assert all(one.reserved_until <= other.reserved_from for one, other in pairwise(openings)), "openings overlap"


def check_opening(opening, wall, zone, minutes, before, after):
    gap = datetime.combine(SKIPPED_HOUR.get(zone, date.min), time(2))
    if not isinstance(opening, Opening):
        assert (opening.wall, opening.exists) == (wall, False)
        assert f"does not exist on {wall:%B} {wall.day}" in opening.reason
        assert wall - before * MINUTE < gap + HOUR, "a time that exists is not offered"
        assert gap <= wall + (minutes + after) * MINUTE, "a time that exists is not offered"
        return
    assert not gap <= wall < gap + HOUR, "a time is offered that does not exist"
    there = opening.starts_at.astimezone(ZoneInfo(zone))
    assert there.replace(tzinfo=None) == wall
    assert there.fold == 0, "of a time that comes twice the first is meant"
    assert opening.ends_at - opening.starts_at == minutes * MINUTE
    assert opening.starts_at - opening.reserved_from == before * MINUTE
    assert opening.reserved_until - opening.ends_at == after * MINUTE
