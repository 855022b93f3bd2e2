"""Somebody new is invited by mail and chooses a password; nobody else ever knows it."""

import email
from datetime import timedelta
from email.policy import default

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.services import disable_staff, reset_staff
from portal.audit.models import AuditEntry
from portal.core.db import db
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.services import send_due_mail, send_now
from tests.visitor import Visitor

EMAIL = "jo@clinic.example"
PASSWORD = "four words, not together"
HOST = "http://127.0.0.1:8000"


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def staff_command(app):
    def run(*arguments):
        return app.test_cli_runner().invoke(args=["staff", *arguments]).output

    return run


@pytest.fixture
def invited(staff_command, app, mail_server):
    """Invite Jo; the path of the link in the mail."""
    staff_command("add", EMAIL, "--name", "Jo New", "--role", "manager", "--invite")
    return latest_link(app, mail_server)


def latest_link(app, mail_server):
    with app.app_context():
        send_due_mail()
    return next(
        line.removeprefix(HOST) for line in mail_server.text().splitlines() if line.startswith(f"{HOST}/desk/welcome/")
    )


def choose(person, link, password=PASSWORD, again=None):
    person.open(link)
    return person.send(password=password, again=password if again is None else again)


def sign_in(person, password=PASSWORD):
    person.open("/desk/sign-in")
    return person.send(email=EMAIL, password=password)


def test_an_invitation_leads_to_a_password_of_ones_own_and_to_the_desk(invited, visitor):
    page = visitor.open(invited)
    assert page.heading == "Welcome, Jo New"
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert page.response.headers["Cache-Control"] == "no-store"
    page = choose(visitor, invited)
    assert page.path == "/desk/sign-in"
    assert "Your password is set. Sign in with it." in page.text
    page = sign_in(visitor)
    assert page.path.startswith("/desk/day/")
    assert any("/desk/setup/" in link for link in page.links)


def test_the_mail_says_until_when_the_link_works_and_nothing_else_of_interest(invited, mail_server):
    message = email.message_from_bytes(mail_server.received[-1], policy=default)
    assert (message["To"], message["Subject"]) == (EMAIL, "Your account at Test Clinic")
    for part in ("plain", "html"):
        text = message.get_body((part,)).get_content()
        assert "until Saturday, November 21, 10:00 am EST" in text
        assert invited in text
        assert "manager" not in text


def test_the_link_works_once_even_for_two_who_have_the_page_open(invited, visitor, app):
    other = Visitor(app)
    other.open(invited)
    choose(visitor, invited)
    page = other.send(password="another password", again="another password")
    assert (page.status, page.heading) == (404, "This link has ended")
    assert page.response.headers["Referrer-Policy"] == "no-referrer"
    assert other.open(invited).status == 404
    assert sign_in(visitor).path.startswith("/desk/day/")


def test_opening_the_link_changes_nothing(invited, visitor, app):
    with app.app_context():
        before = db.session.execute(db.text("SELECT * FROM staff_user")).one()
    Visitor(app).open(invited)  # as a mail scanner does
    with app.app_context():
        assert db.session.execute(db.text("SELECT * FROM staff_user")).one() == before
    assert choose(visitor, invited).path == "/desk/sign-in"


@pytest.mark.parametrize(
    ("password", "again", "message"),
    [
        ("short", None, "Use at least 12 characters."),
        (" " * 12, None, "Enter a password."),
        (PASSWORD, PASSWORD.upper(), "Enter the same password in both fields."),
        ("x" * 129, None, "Use at most 128 characters."),
    ],
)
def test_a_password_that_will_not_do_is_explained_and_the_link_still_works(invited, visitor, password, again, message):
    page = choose(visitor, invited, password, again)
    assert page.status == 422
    assert page.errors == [message]
    assert PASSWORD not in page.text  # nothing typed is sent back
    assert choose(visitor, invited).path == "/desk/sign-in"


def test_a_password_counts_as_it_was_typed(invited, visitor):
    typed = "  caf\u00e9 au lait \u212b  "
    choose(visitor, invited, typed)
    assert sign_in(visitor, typed.strip()).path == "/desk/sign-in"
    assert sign_in(visitor, typed).path.startswith("/desk/day/")


def test_over_tls_it_works_although_the_page_sends_no_referrer(invited, visitor):
    page = visitor.open(invited, base_url="https://127.0.0.1:8000")
    page = visitor.post(
        page.form.action,
        {**page.form.values, "password": PASSWORD, "again": PASSWORD},
        base_url="https://127.0.0.1:8000",
    )
    assert page.path == "/desk/sign-in"


def test_a_form_that_another_site_sends_is_refused(invited, visitor):
    visitor.open(invited)
    assert visitor.post(invited, {"password": PASSWORD, "again": PASSWORD}).status == 400
    assert visitor.open(invited).status == 200


def test_nobody_signs_in_before_the_password_is_chosen(invited, visitor):
    for guess in ("", "None", PASSWORD):
        assert sign_in(visitor, guess).path == "/desk/sign-in"


@pytest.mark.parametrize("change", [reset_staff, disable_staff])
def test_resetting_or_closing_the_account_ends_the_link(invited, visitor, app, change):
    with app.app_context():
        change(EMAIL)
    assert visitor.open(invited).status == 404


def test_after_three_days_the_link_has_ended(invited, visitor, clock):
    clock.shift(timedelta(days=3, seconds=-1))
    assert visitor.open(invited).status == 200
    clock.shift(timedelta(seconds=1))
    assert visitor.open(invited).status == 404


def test_a_link_that_was_changed_or_made_up_opens_nothing(invited, visitor):
    payload, _, signature = invited.rpartition("/")[2].partition(".")
    for token in (f"{payload}.{signature[::-1]}", f"{payload}x.{signature}", payload, "x", "%C3%A9%FF", "." * 300):
        assert visitor.open(f"/desk/welcome/{token}").status == 404


def test_an_invitation_sent_again_ends_the_one_before(invited, staff_command, visitor, app, mail_server):
    assert "gets a mail" in staff_command("invite", EMAIL)
    again = latest_link(app, mail_server)
    assert visitor.open(invited).status == 404
    assert choose(visitor, again).path == "/desk/sign-in"


def test_its_mail_sent_once_more_makes_it_last_no_longer(invited, visitor, app, mail_server, clock):
    clock.shift(timedelta(days=3, seconds=-1))
    with app.app_context():
        send_now(db.session.scalar(select(OutgoingMail.id)))
    again = latest_link(app, mail_server)
    assert visitor.open(again).status == 200
    clock.shift(timedelta(seconds=1))
    assert visitor.open(again).status == 404
    with app.app_context():
        send_now(db.session.scalar(select(OutgoingMail.id)))
        send_due_mail()
        assert db.session.scalar(select(OutgoingMail.state)) == MailState.SUPERSEDED


def test_an_invitation_that_ended_while_its_mail_waited_is_never_sent(staff_command, app, mail_server):
    staff_command("add", EMAIL, "--name", "Jo New", "--invite")
    with app.app_context():
        disable_staff(EMAIL)
        send_due_mail()
    assert mail_server.received == []


def test_the_commands_print_no_password_and_say_what_is_wrong(staff_command, visitor, app, mail_server):
    said = staff_command("add", EMAIL, "--name", "Jo New", "--invite")
    assert said == f"{EMAIL} gets a mail with a link to choose a password.\n"
    assert "has an account already" in staff_command("add", EMAIL, "--name", "Jo New", "--invite")
    assert "There is no account" in staff_command("invite", "nobody@clinic.example")
    choose(visitor, latest_link(app, mail_server))
    assert "has a password already" in staff_command("invite", EMAIL)


def test_each_step_is_in_the_audit_trail_under_the_persons_own_name(invited, visitor, app):
    choose(visitor, invited)
    with app.app_context():
        jo = db.session.scalar(select(User.id).where(User.email == EMAIL))
        entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        steps = [(entry.action, entry.actor) for entry in entries if entry.subject == f"staff:{jo}"]
    assert steps == [
        ("staff-added", "system"),
        ("staff-invited", "system"),
        ("invitation-accepted", f"staff:{jo}"),
    ]
