"""Staff sign in; nobody else sees the desk."""

from datetime import timedelta
from urllib.parse import urljoin, urlsplit

import pytest

from portal.accounts.services import StaffRole, add_staff, disable_staff, reset_staff
from portal.audit.models import AuditEntry
from portal.core.db import db
from tests.visitor import Visitor

EMAIL = "desk@clinic.example"


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def password(app):
    with app.app_context():
        return add_staff(EMAIL, "Dee Desk", StaffRole.FRONT_DESK)


def sign_in(visitor, password, email=EMAIL):
    visitor.open("/desk/")
    return visitor.send(email=email, password=password)


def test_the_desk_asks_who_is_there(visitor):
    page = visitor.open("/desk/day/2026-11-18")
    assert page.path == "/desk/sign-in"


def test_staff_sign_in_and_land_where_they_wanted_to_go(visitor, password):
    visitor.open("/desk/day/2026-11-20")
    page = visitor.send(email=EMAIL, password=password)
    assert page.path == "/desk/day/2026-11-20"
    assert "Dee Desk" in page.text


@pytest.mark.parametrize(
    ("email", "wrong"),
    [(EMAIL, "wrong"), ("nobody@clinic.example", "wrong"), ("", ""), (EMAIL, "x" * 5000), ("\0" * 300, "\0")],
)
def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(visitor, password, email, wrong):
    page = sign_in(visitor, wrong, email)
    assert page.path == "/desk/sign-in"
    assert "E-mail or password is not right." in page.text


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "\\\\evil.example", "/\\evil.example"])
def test_signing_in_never_leads_out_of_the_portal(visitor, password, target):
    visitor.open(f"/desk/sign-in?next={target}")
    response = visitor.client.post(
        visitor.page.form.action, data={**visitor.page.form.values, "email": EMAIL, "password": password}
    )
    here = "http://127.0.0.1:8000/desk/sign-in"
    assert urlsplit(urljoin(here, response.headers.get("Location", here))).netloc == "127.0.0.1:8000"


def test_signing_out_ends_it_and_takes_a_post(visitor, password):
    sign_in(visitor, password)
    assert visitor.client.get("/desk/sign-out").status_code == 405
    visitor.send(next(form for form in visitor.page.forms if form.action == "/desk/sign-out"))
    assert visitor.open("/desk/").path == "/desk/sign-in"


def test_a_disabled_account_is_out_at_its_next_click(visitor, password, app):
    sign_in(visitor, password)
    with app.app_context():
        disable_staff(EMAIL)
    assert visitor.open("/desk/").path == "/desk/sign-in"
    assert sign_in(visitor, password).path == "/desk/sign-in"


def test_a_reset_makes_a_new_password_and_ends_other_sessions(visitor, password, app):
    sign_in(visitor, password)
    with app.app_context():
        fresh = reset_staff(EMAIL)
    assert visitor.open("/desk/").path == "/desk/sign-in"
    assert sign_in(Visitor(app), fresh).path.startswith("/desk/day/")


def test_signing_in_is_in_the_audit_trail(visitor, password, app):
    sign_in(visitor, password)
    with app.app_context():
        actions = db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert "signed-in" in actions


def test_the_staff_commands_say_what_is_wrong(app, password):
    run = app.test_cli_runner().invoke
    assert "has an account already" in run(args=["staff", "add", EMAIL, "--name", "X"]).output
    assert "There is no account" in run(args=["staff", "reset", "nobody@clinic.example"]).output
    assert "There is no account" in run(args=["staff", "disable", "nobody@clinic.example"]).output
    assert run(args=["staff", "add", "no address", "--name", "X"]).exit_code == 2
    for name in (" ", "X" * 121):
        assert "Write 1 to 120 characters." in run(args=["staff", "add", "jo@clinic.example", "--name", name]).output
    assert "with this password:" in run(args=["staff", "reset", EMAIL]).output


def test_no_password_is_stored_in_clear(app, password):
    with app.app_context():
        stored = db.session.execute(db.text("SELECT password FROM staff_user")).scalar_one()
    assert stored.startswith("$argon2id$")
    assert password not in stored


class TestASharedScreen:
    @pytest.fixture
    def at_work(self, visitor, password):
        sign_in(visitor, password)
        return visitor

    def test_locks_after_fifteen_idle_minutes_and_opens_where_it_was(self, at_work, password, clock):
        clock.shift(timedelta(minutes=14))
        assert at_work.open("/desk/day/2026-11-20").status == 200
        clock.shift(timedelta(minutes=15))
        page = at_work.open("/desk/day/2026-11-23")
        assert "This screen is locked" in page.text
        assert page.form.values["email"] == [EMAIL]
        page = at_work.send(password=password)
        assert page.path == "/desk/day/2026-11-23"

    def test_a_page_that_refreshes_itself_is_no_use_by_anybody(self, at_work, clock):
        for _ in range(3):
            clock.shift(timedelta(minutes=6))
            page = at_work.open("/desk/day/2026-11-20?poll=1")
        assert page.path == "/desk/sign-in"

    def test_typing_counts_as_use(self, at_work, clock):
        token = at_work.open("/desk/").form.values["csrf_token"][0]
        for _ in range(3):
            clock.shift(timedelta(minutes=10))
            at_work.post("/desk/here", {"csrf_token": token})
        assert at_work.open("/desk/day/2026-11-20").path == "/desk/day/2026-11-20"

    def test_nobody_stays_signed_in_for_more_than_eight_hours(self, at_work, clock):
        for _ in range(49):
            clock.shift(timedelta(minutes=10))
            page = at_work.open("/desk/requests")
        assert page.path == "/desk/sign-in"

    def test_the_next_one_chooses_a_name_and_types_a_password_alone(self, at_work, password, app):
        with app.app_context():
            other = add_staff("other@clinic.example", "Otto Other", StaffRole.FRONT_DESK)
        at_work.post("/desk/lock", at_work.page.form.values)
        assert "This screen is locked" in at_work.page.text
        at_work.send(email="other@clinic.example", password=other)
        at_work.post("/desk/lock", at_work.page.form.values)
        page = at_work.open(at_work.page.link("who=1"))
        assert page.form.values["email"] == [EMAIL]
        assert "Dee Desk" in at_work.send(password=password).text

    def test_who_was_shut_out_is_not_offered(self, at_work, app):
        with app.app_context():
            disable_staff(EMAIL)
        assert "Dee Desk" not in at_work.open("/desk/").text


@pytest.mark.parametrize(
    "credential", ["", "x", "{}", "[]", '{"id": 5}', '{"id": "AAAA"}', "[" * 15000, '{"id": "AAAA", "response": 7}']
)
def test_a_made_up_passkey_is_refused(visitor, password, credential):
    form = visitor.open("/desk/sign-in").form
    visitor.post("/desk/passkeys/use", form.values)
    page = visitor.post("/desk/sign-in/passkey", {**form.values, "credential": credential})
    assert (page.status, page.outcome) == (422, "invalid")
    assert "That passkey did not work here." in page.text
