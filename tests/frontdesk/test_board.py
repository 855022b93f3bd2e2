"""The day board, week and month: what each of them says, to whom, and at what cost."""

import re
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import func, select

from benchmarks.busy_day import store_busy_day
from benchmarks.stored import note_queries
from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.booking.models import Appointment, Status
from portal.core import clock as portal_clock
from portal.core.db import db, transactional
from portal.frontdesk.scale import arrange, fit_scale, rows_between
from portal.notifications.models import MailState, OutgoingMail
from portal.scheduling.models import Closure, Provider, Slot
from tests.visitor import Visitor

FRIDAY = "2026-11-20"
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def change(app):
    """Change the visit with a reference, or the time at a wall time, as a test needs it."""

    def change(which, **values):
        with app.app_context():
            _change(which, values)

    return change


@transactional
def _change(which, values):
    begins = datetime.fromisoformat(which) if which[0] == "2" else None
    row = db.session.scalar(
        select(Slot).where(Slot.day == begins.date(), Slot.begins == begins.time())
        if begins
        else select(Appointment).where(Appointment.reference == which)
    )
    for name, value in values.items():
        setattr(row, name, value)


@pytest.fixture
def close(app):
    """Close a time, whatever is in it."""

    def close(starts, ends, reason, **values):
        with app.app_context():
            times = {"starts": datetime.fromisoformat(starts), "ends": datetime.fromisoformat(ends)}
            transactional(lambda: db.session.add(Closure(**times, reason=reason, **values)))()

    return close


def entries(page):
    """The things of the board's columns, in order: the classes of each, and its words."""
    found = re.findall(r'<li class="([^"]*\br\d+[^"]*)">(.*?)</li>', page.text, re.DOTALL)
    return [(classes.split(), " ".join(re.sub(r"<[^>]+>", " ", words).split())) for classes, words in found]


def words_of(page, state):
    return [words for classes, words in entries(page) if state in classes]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.BOOKED, "booked"),
        (Status.ARRIVED, "arrived"),
        (Status.CHECKED_IN, "in the room"),
        (Status.FULFILLED, "done"),
        (Status.NOSHOW, "did not come"),
        (Status.CANCELLED, "cancelled"),
    ],
)
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_each_state_is_said_in_words_shaped_by_its_class_and_counted(desk, book, change, status, words):
    change(book(f"{FRIDAY} 09:00")[1], status=status)
    page = desk.open(f"/desk/day/{FRIDAY}")
    assert words_of(page, status)[0].startswith(f"9:00 Person Number 1 {words}")
    assert f'<li class="{status}"><b>1</b> <i>{words}</i></li>' in page.text


@pytest.mark.both_engines
def test_times_without_a_visit_are_free_held_not_taken_or_withdrawn(desk, change, at):
    at("2026-11-20 10:30")
    now = portal_clock.now()
    change(f"{FRIDAY} 11:00", state="held", held_until=now + timedelta(minutes=10))
    change(f"{FRIDAY} 12:00", offered=False)
    page = desk.open(f"/desk/day/{FRIDAY}")
    said = [words for _, words in entries(page) if "now" not in _]
    assert [words.removesuffix(" First consult") for words in said] == [
        "9:00 not taken",
        "10:00 not taken",
        "11:00 held until 10:40 am",
        "12:00 withdrawn",
    ]
    assert "data-slot" not in page.text
    change(f"{FRIDAY} 11:00", held_until=now + timedelta(days=1))
    assert words_of(desk.open(f"/desk/day/{FRIDAY}"), "held") == [
        "11:00 held until Sat, Nov 21, 10:30 am First consult"
    ]
    change(f"{FRIDAY} 11:00", held_until=now + timedelta(minutes=10))
    at("2026-11-20 10:40")
    assert words_of(desk.open(f"/desk/day/{FRIDAY}"), "free") == ["11:00 free First consult"]


def test_the_line_of_now_stands_at_its_row_by_the_clocks_of_each_place_and_on_no_other_day(desk, at):
    at("2026-11-18 11:40")  # the board begins at 9, and five minutes are a row
    page = desk.open("/desk/")
    assert [classes for classes, _ in entries(page) if "now" in classes] == [["now", "r33"]]
    assert not words_of(desk.open("/desk/day/2026-11-19"), "now")
    at("2026-11-19 17:00")  # 2 in Los Angeles, where the day begins at 1
    assert [classes for classes, _ in entries(desk.open("/desk/")) if "now" in classes] == [["now", "r13"]]


@pytest.mark.both_engines
def test_closed_times_are_shaded_with_their_reason_and_hide_what_is_withdrawn_by_them(desk, close, change):
    close(f"{FRIDAY}T11:00", f"{FRIDAY}T12:00", "Fire drill")
    change(f"{FRIDAY} 11:00", offered=False)
    page = desk.open(f"/desk/day/{FRIDAY}")
    assert [(classes, words) for classes, words in entries(page) if "closed" in classes] == [
        (["r25", "n12", "closed"], "Fire drill")
    ]
    assert not words_of(page, "withdrawn")
    assert words_of(desk.open("/desk/day/2026-11-27"), "closed") == ["Holiday"]


def test_a_visit_that_stands_in_a_closed_time_is_seen_there(desk, book, close):
    book(f"{FRIDAY} 09:00")
    close(f"{FRIDAY}T00:00", "2026-11-21T00:00", "Ill")
    page = desk.open(f"/desk/day/{FRIDAY}")
    assert words_of(page, "booked")
    assert words_of(page, "closed") == ["Ill"]
    assert "Ill" in desk.open(f"/desk/week/{FRIDAY}").text


def test_who_has_arrived_shows_how_long_the_wait_is(desk, book, change, at):
    reference = book(f"{FRIDAY} 11:00")[1]
    at("2026-11-20 10:50")
    change(reference, status=Status.ARRIVED, arrived_at=portal_clock.now() - timedelta(minutes=12))
    assert "waiting 12 min" in words_of(desk.open(f"/desk/day/{FRIDAY}"), "arrived")[0]


def test_marks_say_who_is_new_was_moved_should_come_soon_or_comes_by_phone(desk, diary, book, change):
    _, first = book("2026-11-19 13:00", code="call", name="Kim Caller", email="kim@example.com")
    marks = words_of(desk.open("/desk/day/2026-11-19"), "booked")[0]
    assert "new patient" in marks
    assert "by phone" in marks
    book(f"{FRIDAY} 09:00")
    visit = diary.scalar(select(Appointment).where(Appointment.reference != first))
    kim = diary.scalar(select(Appointment.patient_id).where(Appointment.reference == first))
    change(visit.reference, patient_id=kim, lane="consult", prompt=True)
    form = {
        "csrf_token": desk.page.form.values["csrf_token"][0],
        "version": 1,
        "slot": diary.slot_at(f"{FRIDAY} 10:00"),
    }
    desk.post(f"/desk/visit/{visit.id}/move", form)
    marks = words_of(desk.open(f"/desk/day/{FRIDAY}"), "booked")[0]
    assert marks.startswith("10:00 Kim Caller")
    for mark in ("within two weeks", "moved"):
        assert mark in marks
    assert "new patient" not in marks


def _first_mail(visit_id):
    return db.session.scalar(select(func.min(OutgoingMail.id)).where(OutgoingMail.about_id == visit_id))


def test_mail_that_did_not_arrive_is_marked_until_somebody_has_dealt_with_it(desk, diary, book, app):
    visit = diary.scalar(select(Appointment).where(Appointment.reference == book(f"{FRIDAY} 09:00")[1]))

    @transactional
    def set_mail(**values):
        for name, value in values.items():
            setattr(db.session.get(OutgoingMail, _first_mail(visit.id)), name, value)

    with app.app_context():
        set_mail(state=MailState.BOUNCED, recipient="person1@example.com")
    assert "mail problem" in words_of(desk.open(f"/desk/day/{FRIDAY}"), "booked")[0]
    with app.app_context():
        set_mail(looked_at=portal_clock.now())
    assert "mail problem" not in words_of(desk.open(f"/desk/day/{FRIDAY}"), "booked")[0]


def test_a_cancelled_visit_and_the_one_in_its_time_stand_beside_each_other(desk, book, change):
    wall = f"{FRIDAY} 09:00"
    change(book(wall)[1], status=Status.CANCELLED, one_of_kind=None)
    change(wall, state="free")
    book(wall)
    page = desk.open(f"/desk/day/{FRIDAY}")
    assert [(classes[:3], words[:20]) for classes, words in entries(page)[:2]] == [
        (["r1", "n12", "p0-2"], "9:00 Person Number 2"),
        (["r1", "n12", "p1-2"], "9:00 Person Number 1"),
    ]


def test_columns_are_by_clinician_or_by_place_and_a_clinician_can_be_seen_alone(desk, diary):
    monday = desk.open("/desk/day/2026-11-23")
    assert "Ada Test, MD" in monday.text
    page = desk.open(monday.link("by=place"))
    assert ">East</span></h2>" in page.text
    assert "by=place" in page.link("/desk/week/")
    ben = diary.scalar(select(Provider.id).where(Provider.code == "ben"))
    assert "Ada Test" not in desk.open(f"/desk/day/2026-11-23?clinician={ben}").text
    for nobody in ("99", "0", "x", "-1", "²"):
        assert desk.open(f"/desk/day/2026-11-23?clinician={nobody}").status == 404


@pytest.mark.both_engines
def test_the_week_has_visits_and_free_times_by_day_and_clinician(desk, book):
    book(f"{FRIDAY} 09:00")
    page = desk.open(f"/desk/week/{FRIDAY}")
    assert "Sun, Nov 15 to Sat, Nov 21" in page.heading
    assert "Person Number 1" in page.text
    assert "3 free" in page.text
    assert "PST" in page.text  # Ben's times are by the clocks of Los Angeles
    assert page.link(f"/desk/day/{FRIDAY}")
    assert "Nobody sees patients in this week" in desk.open("/desk/week/2025-01-01").text


@pytest.mark.both_engines
def test_the_month_says_how_much_is_free_in_numbers_and_five_steps(desk, book):
    book(f"{FRIDAY} 09:00")
    page = desk.open("/desk/month/2026-11")
    friday = re.search(rf'<a class="([^"]+)" href="/desk/day/{FRIDAY}".*?</a>', page.text, re.DOTALL)
    assert "3 <span>free" in friday[0]
    assert "1 <span>visit<" in friday[0]
    assert friday[1] == "heat-2"  # of six on the Monday after
    assert 'class="heat-4" href="/desk/day/2026-11-23"' in page.text
    assert 'class="heat-0" href="/desk/day/2026-11-27"' in page.text  # the holiday
    for nothing in ("2026-13", "2026", "nonsense", "2026-1"):
        assert desk.open(f"/desk/month/{nothing}").status == 404


def test_masked_names_are_initials_on_every_list_until_they_are_shown_again(desk, book):
    book(f"{FRIDAY} 09:00", name="Jane van Doe")
    desk.open(f"/desk/day/{FRIDAY}")
    token = desk.page.form.values["csrf_token"][0]
    page = desk.post("/desk/mask", {"csrf_token": token}, headers={"Referer": desk.page.response.request.url})
    assert page.path == f"/desk/day/{FRIDAY}"
    assert words_of(page, "booked")[0].startswith("9:00 J. D. booked")
    for path in (f"/desk/day/{FRIDAY}", f"/desk/week/{FRIDAY}", f"/desk/day/{FRIDAY}/sheet"):
        assert "Doe" not in desk.open(path).text
    page = desk.post("/desk/mask", {"csrf_token": token}, headers={"Referer": "https://evil.example/desk/x"})
    assert page.path == "/desk/day/2026-11-18"
    assert "Jane van Doe" in desk.open(f"/desk/day/{FRIDAY}").text


def test_masked_names_are_initials_of_everybody_besides_the_one_a_page_is_about(desk, visitor, book, diary):
    born = Visitor.DETAILS["date_of_birth"]
    ids = [
        diary.scalar(select(Appointment.id).where(Appointment.reference == book(f"{FRIDAY} {at}", name=name)[1]))
        for at, name in (("09:00", "Jane van Doe"), ("10:00", "Janet Doe"))
    ]
    visitor.pass_safety()
    visitor.open(visitor.page.link("/request/time"))
    visitor.send(weekdays=["1"], parts_of_day=["morning"], name="Ann Poe", phone="212 555 0188")
    desk.post("/desk/mask", {"csrf_token": desk.open("/desk/requests").form.values["csrf_token"][0]})
    requests = desk.open("/desk/requests").text
    assert ("Ann Poe" in requests, "A. P." in requests) == (False, True)
    for visit_id, other in zip(ids, ("Janet Doe", "Jane van Doe"), strict=True):
        page = desk.open(f"/desk/visit/{visit_id}")
        assert "May be the same person" in page.text
        assert other not in page.text
    desk.open("/desk/book")
    call = next(form for form in desk.page.forms if form.action == "/desk/book")
    page = desk.send(call, step="find", name="Jan", date_of_birth=born)
    assert page.text.count("Use this one") == 2
    assert "Doe" not in page.text


class TestAClinician:
    @pytest.fixture
    def clinician(self, staff, app):
        person = staff(StaffRole.CLINICIAN)

        @transactional
        def become_ben():
            user = db.session.scalar(select(User).where(User.email == "clinician@clinic.example"))
            user.provider_id = db.session.scalar(select(Provider.id).where(Provider.code == "ben"))

        with app.app_context():
            become_ben()
        return person

    def test_sees_the_own_diary_only(self, clinician, book, diary):
        book(f"{FRIDAY} 09:00")
        book("2026-11-19 13:00", code="call", name="Own Patient")
        assert "Own Patient" in clinician.open("/desk/day/2026-11-19").text
        assert "Own Patient" in clinician.open(f"/desk/week/{FRIDAY}").text
        for path in (f"/desk/day/{FRIDAY}", f"/desk/week/{FRIDAY}", f"/desk/day/{FRIDAY}/sheet"):
            assert "Person Number 1" not in clinician.open(path).text
        ada = diary.scalar(select(Provider.id).where(Provider.code == "ada"))
        for path in (f"/desk/day/{FRIDAY}", f"/desk/week/{FRIDAY}", "/desk/month/2026-11", f"/desk/day/{FRIDAY}/sheet"):
            assert clinician.open(f"{path}?clinician={ada}").status == 404

    def test_cannot_carry_somebody_elses_visit_around(self, clinician, book, diary):
        visit = diary.scalar(select(Appointment).where(Appointment.reference == book(f"{FRIDAY} 09:00")[1]))
        assert clinician.open(f"/desk/day/{FRIDAY}?moving={visit.id}").status == 404

    def test_moves_no_visit_and_is_offered_no_time_for_it(self, clinician, book, diary):
        visit = diary.scalar(
            select(Appointment).where(Appointment.reference == book("2026-11-19 13:00", code="call")[1])
        )
        assert "put-down" not in clinician.open("/desk/day/2026-11-19").text
        assert clinician.open(f"/desk/day/{FRIDAY}?moving={visit.id}").status == 403

    def test_without_a_diary_of_their_own_sees_nobody_and_why(self, staff, book):
        book(f"{FRIDAY} 09:00")
        nobody = staff(StaffRole.CLINICIAN)
        for view in ("day", "week"):
            assert "This account has no diary" in nobody.open(f"/desk/{view}/{FRIDAY}").text


def test_what_refreshes_itself_is_a_part_of_the_page_and_no_further_reading(desk, book, diary):
    book(f"{FRIDAY} 09:00")
    readings = (
        select(func.count())
        .select_from(AuditEntry)
        .where(AuditEntry.action == "day-seen", AuditEntry.subject != "day:2026-11-18")
    )
    whole = desk.open(f"/desk/day/{FRIDAY}").text
    assert diary.scalar(readings) == 1
    part = desk.open(f"/desk/day/{FRIDAY}?poll=1", headers=HTMX).text
    assert part.strip().startswith('<div id="board"')
    assert part.strip() in whole
    assert diary.scalar(readings) == 1
    desk.open("/desk/day/2026-11-23?poll=1", headers=HTMX)  # a day that nobody here has opened before
    assert diary.scalar(readings) == 2
    desk.open(f"/desk/day/{FRIDAY}")
    assert diary.scalar(readings) == 3


@pytest.mark.parametrize(("view", "part"), [("day", "board"), ("week", "week")])
def test_a_refresh_that_would_show_the_same_sends_nothing(desk, book, part, view):
    def refresh(address):
        return desk.client.get(address, headers=HTMX)

    def next_refresh(text):
        return re.search(f'<div id="{part}" hx-get="([^"]+)"', text)[1]

    book(f"{FRIDAY} 09:00", name="Jane Doe")
    address = next_refresh(desk.open(f"/desk/{view}/{FRIDAY}").text)
    assert (refresh(address).status_code, refresh(address).data) == (204, b"")
    assert desk.client.get(address).status_code == 200  # a whole page that was asked for is one
    book(f"{FRIDAY} 10:00", name="Kim Other")
    changed = refresh(address)
    assert "Kim Other" in changed.text
    assert refresh(next_refresh(changed.text)).status_code == 204
    desk.post("/desk/mask", {"csrf_token": desk.page.form.values["csrf_token"][0]})
    assert "Doe" not in refresh(next_refresh(changed.text)).text


@pytest.mark.both_engines
def test_a_day_costs_as_many_queries_with_three_hundred_visits_as_with_one(desk, app, book):
    book(f"{FRIDAY} 09:00")
    paths = (f"/desk/day/{FRIDAY}", f"/desk/week/{FRIDAY}", "/desk/month/2026-11", f"/desk/day/{FRIDAY}/sheet")

    def count():
        for path in paths:
            desk.open(path)
            with note_queries() as sent:
                assert desk.open(path).status == 200
            yield len(sent)

    with_one = list(count())
    with app.app_context():
        store_busy_day(date.fromisoformat(FRIDAY))
    assert list(count()) == with_one
    assert max(with_one) <= 25


@pytest.mark.parametrize(
    ("stretches", "places"),
    [
        ([(0, 4), (4, 8)], [(0, 1), (0, 1)]),
        ([(0, 4), (0, 4), (4, 8)], [(0, 2), (1, 2), (0, 1)]),
        ([(0, 8), (0, 4), (4, 8)], [(0, 2), (1, 2), (1, 2)]),
        ([(0, 4)] * 6, [(0, 4), (1, 4), (2, 4), (3, 4), (3, 4), (3, 4)]),
        ([], []),
    ],
)
def test_what_overlaps_shares_the_width_of_its_column(stretches, places):
    assert arrange(stretches) == places


def test_the_scale_fits_the_hours_and_grows_for_short_visits():
    scale = fit_scale([rows_between(time(7, 40), 20), rows_between(time(18, 10), 20)])
    assert (scale.first, scale.last, scale.fine) == (7, 19, "fine")
    assert fit_scale([rows_between(time(9), 10)]).fine == "finest"
    assert fit_scale([]).hours == range(8, 17)
    assert rows_between(time(23, 50), 60) == (286, 288)
