"""A session ends the moment it is to, and a copy of its cookie with it."""

import re
from datetime import timedelta

import pytest

from portal.accounts.models import StaffSession, User
from portal.accounts.services import StaffRole, add_staff, disable_staff, reset_staff
from portal.accounts.sessions import KEPT, forget_old
from portal.core.db import db
from tests.accounts.conftest import EMAIL, copy_of, form_to
from tests.visitor import Visitor

PLACES = ("/desk/", "/desk/day/2026-11-18?poll=1", "/desk/sessions", "/desk/sign-in?next=/desk/sessions")
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = "five words, none of them common"


def is_out(person):
    pages = [person.open(place) for place in PLACES]
    response = person.client.get("/fhir/QuestionnaireResponse/00000000-0000-0000-0000-000000000000")
    return all(page.path == "/desk/sign-in" for page in pages) and "/desk/sign-in" in response.headers["Location"]


def sign_out(person):
    person.open("/desk/")
    person.send(form_to(person, "/desk/sign-out"))


def lock(person):
    person.open("/desk/")
    person.post("/desk/lock", person.page.form.values)


def run(action):
    def ended_by(person, app):
        with app.app_context():
            action(EMAIL)

    return ended_by


def change_password(person, app):
    other = Visitor(app)
    with app.app_context():
        password = reset_staff(EMAIL)
    other.sign_in(EMAIL, password)
    other.open("/desk/account/password")
    other.send(form_to(other, "/account/password"), current=password, password=NEW, again=NEW)


@pytest.mark.parametrize("end", [lambda person, app: sign_out(person), lambda person, app: lock(person),
                                 run(disable_staff), run(reset_staff), change_password])  # fmt: skip
def test_a_copied_cookie_opens_nothing_once_the_session_has_ended(dee, app, end):
    copy = copy_of(dee, app)
    assert copy.open("/desk/sessions").path == "/desk/sessions"
    copy = copy_of(dee, app)
    end(dee, app)
    assert is_out(copy)
    assert is_out(copy_of(copy, app))


def test_a_cookie_of_before_signing_in_is_not_let_in_with_it(app, password):
    person = Visitor(app)
    person.open("/desk/sign-in")
    before = copy_of(person, app)
    person.sign_in(EMAIL, password)
    assert is_out(before)


@pytest.mark.parametrize(
    "parameters", ["poll=1", "poll=0", "poll", "poll=1&poll=2", "who=1", "next=/desk/", "%70oll=1"]
)
def test_no_parameter_keeps_a_session_beyond_its_time(dee, clock, parameters):
    clock.shift(timedelta(minutes=16))
    page = dee.open(f"/desk/sessions?{parameters}")
    assert page.path == "/desk/sign-in"
    assert "This screen is locked" in page.text


def test_the_board_that_refreshes_itself_and_the_data_for_machines_hold_nobody_in(dee, app, clock):
    for _ in range(3):
        clock.shift(timedelta(minutes=6))
        dee.client.get("/desk/day/2026-11-18?poll=1")
    assert is_out(dee)


def test_use_is_written_down_at_most_twice_a_minute(dee, app, clock):
    def seen():
        with app.app_context():
            return db.session.scalar(db.select(StaffSession.seen_at))

    before = seen()
    clock.shift(timedelta(seconds=29))
    dee.open("/desk/sessions")
    assert seen() == before
    clock.shift(timedelta(seconds=1))
    dee.open("/desk/sessions")
    assert seen() > before


def test_the_cookie_holds_a_random_id_and_the_table_neither_it_nor_an_address(dee, app):
    with app.app_context():
        row = db.session.execute(db.text("SELECT * FROM staff_session")).mappings().one()
    with dee.client.session_transaction() as cookie:
        token = cookie["_user_id"]
    assert len(token) >= 22
    assert token not in str(dict(row))
    assert "127.0.0.1" not in str(dict(row))


class TestOnesOwnSessions:
    @pytest.fixture
    def elsewhere(self, app, password):
        person = Visitor(app)
        person.open("/desk/sign-in", headers={"User-Agent": FIREFOX})
        form = person.page.form
        person.post(form.action, {**form.values, "email": EMAIL, "password": password}, headers={"User-Agent": FIREFOX})
        return person

    def test_are_listed_with_device_and_times_and_this_one_is_marked(self, elsewhere, dee, clock):
        clock.shift(timedelta(minutes=5))
        page = dee.open("/desk/sessions")
        assert "Firefox on Windows" in page.text
        assert "Began 5 minutes ago" in page.text
        assert page.text.count("this one") == 1
        assert "Your sessions (2)" in dee.open("/desk/account").text

    def test_end_one_by_one_or_all_but_this_one(self, elsewhere, dee, app, password):
        third = Visitor(app)
        third.sign_in(EMAIL, password)
        page = dee.open("/desk/sessions")
        ends = [form for form in page.forms if re.search(r"/sessions/\d+/end$", form.action)]
        assert "Signed out there." in dee.send(ends[-1]).text  # the oldest
        assert is_out(elsewhere)
        assert third.open("/desk/sessions").path == "/desk/sessions"
        dee.send(form_to(dee, "/end-others"))
        assert is_out(third)
        assert dee.open("/desk/sessions").path == "/desk/sessions"

    def test_of_others_are_not_ended_by_their_number(self, dee, app):
        with app.app_context():
            password = add_staff("otto@clinic.example", "Otto Other", StaffRole.MANAGER)
        otto = Visitor(app)
        otto.sign_in("otto@clinic.example", password)
        token = dee.open("/desk/sessions").form.values["csrf_token"]
        for number in range(1, 5):
            if number != own_number(app):
                assert dee.post(f"/desk/sessions/{number}/end", {"csrf_token": token}).status == 404
        assert otto.open("/desk/sessions").path == "/desk/sessions"


def own_number(app):
    with app.app_context():
        return db.session.scalar(db.select(StaffSession.id).join(User).where(User.email == EMAIL))


def test_a_manager_signs_a_colleague_out_everywhere(dee, staff, app, trail):
    manager = staff(StaffRole.MANAGER)
    with app.app_context():
        number = db.session.scalar(db.select(User.id).where(User.email == EMAIL))
    assert "1 screen now." in manager.open(f"/desk/staff/{number}").text
    assert "is signed out everywhere" in manager.send(form_to(manager, "/end-sessions")).text
    assert is_out(dee)
    assert trail()[-2:] == ["staff-signed-out", "sessions-ended"]


def test_so_does_the_command_line(dee, app):
    run = app.test_cli_runner().invoke
    assert "sessions ended: 1." in run(args=["staff", "sign-out", EMAIL]).output
    assert "There is no account" in run(args=["staff", "sign-out", "nobody@clinic.example"]).output
    assert is_out(dee)


def test_forms_that_somebody_left_open_are_not_sent_under_the_name_of_who_comes_next(dee, app, password):
    with app.app_context():
        other = add_staff("otto@clinic.example", "Otto Other", StaffRole.FRONT_DESK)
    left_open = form_to(dee, "/desk/find")
    lock(dee)
    dee.sign_in("otto@clinic.example", other)
    assert dee.send(left_open, q="t").status == 400
    lock(dee)
    left_open = form_to(dee, "/desk/sign-in")
    dee.sign_in("otto@clinic.example", other)
    before = form_to(dee, "/desk/find")
    lock(dee)
    dee.sign_in("otto@clinic.example", other)
    assert dee.send(before, q="t").status == 200
    assert left_open.values["csrf_token"] == before.values["csrf_token"]


def test_old_rows_are_cleared_and_those_in_use_are_not(dee, app, clock):
    sign_out(dee)
    clock.shift(KEPT)
    with app.app_context():
        assert forget_old() == 0
    clock.shift(timedelta(seconds=1))
    dee.sign_in()
    with app.app_context():
        assert forget_old() == 1
    assert dee.open("/desk/sessions").path == "/desk/sessions"
