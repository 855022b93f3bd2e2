"""A clinician's visits in any calendar program; and what a patient's own entry reminds of."""

import re
from datetime import datetime, timedelta

import pytest
from icalendar import Calendar
from sqlalchemy import event, select, update

from portal.accounts.models import User
from portal.accounts.services import StaffRole, add_staff, disable_staff
from portal.audit.models import AuditEntry
from portal.booking import changes
from portal.booking.models import Appointment, CalendarFeed
from portal.core.crypto import token_hash
from portal.core.db import db
from portal.scheduling.models import Provider
from tests.visitor import Visitor

FRIDAY, NEXT_MONDAY = "2026-11-20 09:00", "2026-11-23 10:00"


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


@pytest.fixture
def press(manager, diary):
    """Press a button beside a clinician; returns the address that the page then shows, if it shows one."""

    def press(button, provider="ada"):
        number = diary.scalar(select(Provider.id).where(Provider.code == provider))
        page = manager.open("/desk/feeds")
        page = manager.send(next(form for form in page.forms if form.action.endswith(f"/{number}/{button}")))
        shown = re.search(r'id="address"[^>]*>([^<]*)<', page.text)
        return shown[1] if shown else None

    return press


@pytest.fixture
def subscribe(app):
    """What a calendar program gets from an address."""

    def subscribe(address):
        return Visitor(app).open(address.removeprefix("http://127.0.0.1:8000"))

    return subscribe


@pytest.fixture
def events(subscribe):
    """The entries of the calendar at an address, by their summaries."""

    def events(address):
        calendar = Calendar.from_ical(subscribe(address).text)
        assert not calendar.errors
        found = calendar.walk("VEVENT")
        assert not any(entry.errors for entry in found)
        return {str(entry["SUMMARY"]): entry for entry in found}

    return events


def appointment_of(diary, reference):
    return diary.scalar(select(Appointment).where(Appointment.reference == reference))


def test_a_clinician_sees_the_visits_in_a_calendar_program(press, subscribe, events, book, diary):
    _, reference = book(FRIDAY)
    address = press("renew")
    response = subscribe(address).response
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in response.headers
    calendar = Calendar.from_ical(response.text)
    assert calendar["METHOD"] == "PUBLISH"
    assert "X-WR-CALNAME:Ada Test\\, MD\r\n" in response.text
    assert calendar["REFRESH-INTERVAL"].dt == timedelta(hours=1)
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\nX-PUBLISHED-TTL:PT1H\r\n" in response.text
    ((summary, entry),) = events(address).items()
    assert summary == f"Visit {reference}"
    assert entry["UID"] == appointment_of(diary, reference).ics_uid
    assert (entry["SEQUENCE"], entry["STATUS"], entry["CLASS"]) == (0, "CONFIRMED", "PRIVATE")
    assert entry.decoded("DTSTART") == datetime.fromisoformat("2026-11-20T14:00:00+00:00")
    assert entry["LOCATION"] == "1 Test Street, New York, NY 10001"
    assert "ATTENDEE" not in entry
    assert not entry.walk("VALARM")


def test_a_visit_that_moves_or_ends_does_so_in_the_calendar_too(press, events, book, diary, app):
    _, moved = book(FRIDAY)
    _, cancelled = book("2026-11-20 10:00")
    address = press("renew")
    uid = events(address)[f"Visit {moved}"]["UID"]
    with app.app_context():
        changes.move(appointment_of(diary, moved).id, int(diary.slot_at(NEXT_MONDAY)))
        changes.cancel(appointment_of(diary, cancelled).id, "time")
    shown = events(address)
    entry = shown[f"Visit {moved}"]
    assert (entry["UID"], entry["SEQUENCE"]) == (uid, 1)
    assert entry.decoded("DTSTART") == datetime.fromisoformat("2026-11-23T15:00:00+00:00")
    entry = shown[f"Visit {cancelled}"]
    assert (entry["SEQUENCE"], entry["STATUS"], entry["TRANSP"]) == (1, "CANCELLED", "TRANSPARENT")


def test_what_is_long_over_leaves_the_calendar(press, events, book, diary, app, clock):
    _, kept = book(FRIDAY)
    _, cancelled = book("2026-12-07 09:00")
    address = press("renew")
    with app.app_context():
        changes.cancel(appointment_of(diary, cancelled).id, "time")
    clock.shift(timedelta(days=29))
    assert events(address).keys() == {f"Visit {kept}", f"Visit {cancelled}"}
    clock.shift(timedelta(days=2))
    assert events(address).keys() == {f"Visit {kept}"}
    clock.shift(timedelta(days=1))
    assert events(address) == {}


def test_nobody_elses_visits_are_in_it(press, events, book, diary, app):
    _, by_phone = book("2026-11-24 13:00", "call")
    _, reference = book(FRIDAY)
    ada, ben = press("renew"), press("renew", "ben")
    assert (events(ada).keys(), events(ben).keys()) == ({f"Visit {reference}"}, {f"Visit {by_phone}"})
    with app.app_context():
        changes.move(appointment_of(diary, reference).id, int(diary.slot_at("2026-11-24 13:30", "call")))
    assert events(ada) == {}
    assert events(ben).keys() == {f"Visit {by_phone}", f"Visit {reference}"}


def test_it_says_nothing_about_patients_or_their_health(press, subscribe, book, diary):
    link, reference = book(FRIDAY, name="Grace Hopper", email="grace@example.com", note="Worse at night")
    text = subscribe(press("renew")).text.replace("\r\n ", "").lower()
    patient = appointment_of(diary, reference).patient_id
    told = ("grace", "hopper", "177", "1980", "worse", link.rpartition("/")[2].lower(), str(patient), patient.hex)
    health = ("consult", "pain", "headache", "clinic,", "test clinic", "patient", "doctor", "assessment")
    assert not [word for word in told + health if word in text]


def test_the_address_is_shown_once_and_kept_only_as_a_hash(press, manager, diary):
    address = press("renew")
    token = address.rpartition("/")[2].removesuffix(".ics")
    assert diary.scalar(select(CalendarFeed.token_hash)) == token_hash(token)
    assert token not in manager.open("/desk/feeds").text


def test_a_new_address_closes_the_old_one_and_revoking_closes_it_for_good(press, subscribe, manager, app):
    old = press("renew")
    new = press("renew")
    unknown = subscribe("/calendars/unknown.ics")
    assert (unknown.status, subscribe(old).lasting) == (404, unknown.lasting)
    assert subscribe(new).status == 200
    assert press("revoke") is None
    assert subscribe(new).lasting == unknown.lasting
    with app.app_context():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action.startswith("calendar-"))).all()
        assert [entry.action for entry in entries] == ["calendar-made", "calendar-renewed", "calendar-revoked"]
        assert all(entry.actor.startswith("staff:") for entry in entries)


def test_the_calendar_of_a_clinician_who_is_not_active_any_more_opens_nothing_nor_is_there_another(
    press, subscribe, manager, app
):
    address = press("renew")
    with app.app_context():
        db.session.execute(update(Provider).where(Provider.code == "ada").values(active=False))
        db.session.commit()
    assert subscribe(address).lasting == subscribe("/calendars/unknown.ics").lasting
    page = manager.open("/desk/feeds")
    assert "its address opens nothing" in page.text
    assert [form.action.rpartition("/")[2] for form in page.forms if "/desk/feeds/1/" in form.action] == ["revoke"]
    assert manager.post("/desk/feeds/1/renew", {"csrf_token": page.form.values["csrf_token"]}).status == 404


def test_the_calendar_of_a_diary_ends_with_the_last_account_that_has_it(press, subscribe, app):
    address = press("renew")
    people, answers = ("ada@clinic.example", "bob@clinic.example"), []
    with app.app_context():
        provider_id = db.session.scalar(select(Provider.id).where(Provider.code == "ada"))
        for email in people:
            add_staff(email, "Somebody", StaffRole.CLINICIAN)
        db.session.execute(update(User).where(User.email.in_(people)).values(provider_id=provider_id))
        db.session.commit()
    for email in people:
        with app.app_context():
            disable_staff(email)
        answers.append(subscribe(address).status)
    assert answers == [200, 404]


def test_the_desk_sees_when_a_calendar_was_made_and_last_read(press, subscribe, manager, clock):
    address = press("renew")
    clock.shift(timedelta(hours=3))
    manager.sign_in()
    assert "Made 3 hours ago · not read yet" in manager.open("/desk/feeds").text
    subscribe(address)
    clock.shift(timedelta(minutes=5))
    assert "Made 3 hours ago · last read 5 minutes ago" in manager.open("/desk/feeds").text


@pytest.mark.parametrize("role", [StaffRole.FRONT_DESK, StaffRole.CLINICIAN])
def test_only_managers_make_and_revoke_calendars(staff, role, diary):
    person = staff(role)
    day = person.open("/desk/")
    assert not any("feeds" in link for link in day.links)
    token = day.form.values["csrf_token"]
    assert person.open("/desk/feeds").status == 403
    for button in ("renew", "revoke"):
        assert person.post(f"/desk/feeds/1/{button}", {"csrf_token": token}).status == 403
    assert diary.count(CalendarFeed) == 0


def test_a_clinician_who_does_not_exist_has_no_calendar(manager):
    token = manager.open("/desk/feeds").form.values["csrf_token"]
    for number in (99, 10**12):
        assert manager.post(f"/desk/feeds/{number}/renew", {"csrf_token": token}).status == 404


def test_many_visits_ask_the_database_no_more_often_than_one(press, events, book, app):
    def count(address):
        asked = []
        with app.app_context():
            engine = db.engine

        def note(_connection, _cursor, statement, *_):
            asked.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        events(address)
        event.remove(engine, "before_cursor_execute", note)
        return len(asked)

    address = press("renew")
    book(FRIDAY)
    with_one = count(address)
    for wall in ("2026-11-20 10:00", "2026-11-20 11:00", NEXT_MONDAY):
        book(wall)
    assert len(events(address)) == 4
    assert count(address) == with_one > 0


def test_a_patients_entry_reminds_a_day_and_two_hours_before_in_neutral_words(book, visitor):
    link, _ = book(FRIDAY)
    visitor.open(link)
    entry = Calendar.from_ical(visitor.open(f"{visitor.page.path}/calendar.ics").text).walk("VEVENT")[0]
    alarms = entry.walk("VALARM")
    assert [alarm["TRIGGER"].dt for alarm in alarms] == [timedelta(days=-1), timedelta(hours=-2)]
    assert {(alarm["ACTION"], alarm["DESCRIPTION"]) for alarm in alarms} == {("DISPLAY", "Appointment – Test Clinic")}
