"""What those who watch over the portal, and the desk, are told."""

import pytest

from portal.accounts.services import StaffRole
from portal.core.db import db
from portal.notifications.services import hold_all, send_due_mail
from portal.operations import notes
from tests.notifications.smtp import REFUSE, Fault, mail_server


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def test_the_portal_says_that_it_is_alive_and_ready(visitor):
    assert visitor.open("/healthz").text == "alive\n"
    page = visitor.open("/readyz")
    assert page.status == 200
    assert page.text.splitlines()[0].startswith("ok migrations")


def test_it_is_not_ready_when_mail_has_waited_too_long(visitor, clock):
    visitor.pass_safety()
    visitor.book()
    clock.shift(20 * 60)
    page = visitor.open("/readyz")
    assert page.status == 503
    assert "FAIL mail: oldest waiting 1200 s" in page.text


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault("rcpt", "452 mailbox full"), 200), (Fault("listen", REFUSE), 503), (Fault("rcpt", "421 closing"), 503)],
    ids=str,
)
def test_it_is_ready_while_a_mailbox_says_to_try_later_and_not_while_the_mail_server_is_away(
    visitor, app, clock, fault, status
):
    visitor.pass_safety()
    visitor.book()
    with mail_server() as server, server.failing(fault), app.app_context():
        app.config["PORTAL"] = app.config["PORTAL"].model_copy(update={"smtp_url": server.url})
        for _ in range(4):
            send_due_mail()
            clock.shift(6 * 60)
    assert visitor.open("/readyz").status == status


def test_it_is_not_ready_on_an_older_schema(visitor, app):
    with app.app_context():
        db.session.execute(db.text("UPDATE alembic_version SET version_num = '0001'"))
        db.session.commit()
    assert "FAIL migrations: at 0001" in visitor.open("/readyz").text


def test_without_a_clinic_it_says_what_to_load(visitor, app):
    with app.app_context():
        db.session.execute(db.text("DELETE FROM clinic"))
        db.session.commit()
    assert "flask clinic load FILE" in visitor.open("/readyz").text
    assert visitor.open("/").status == 200
    assert visitor.open("/book/").status == 200


def test_the_desk_hears_that_no_worker_sends_its_mail(book, desk, app, clock):
    book()
    assert "Mail has not been leaving" not in desk.open("/desk/").text
    clock.shift(7 * 60)
    for path in ("/desk/", "/desk/mail/"):
        assert "Mail has not been leaving for 7 minutes" in desk.open(path).text
    with app.app_context():
        notes.note(notes.WORKER)
        send_due_mail()
    assert "Mail has not been leaving" not in desk.open("/desk/").text


@pytest.fixture
def restored(app, book, clock):
    """A portal after a restore: one confirmation may have left already, the reminders cannot have."""
    book(last_slot(app))
    clock.shift(3600)
    with app.app_context():
        assert hold_all() > 1
        notes.note(notes.RESTORE, taken_at="2026-11-18T15:00:00+00:00", hours_missing=1, mails_held=2)


def last_slot(app):
    from tests.visitor import Visitor

    person = Visitor(app)
    person.pass_safety()
    return person.free_slots()[-1]


def test_the_desk_lets_go_what_cannot_have_left_and_decides_about_the_rest(restored, desk, app, mail_server):
    page = desk.open("/desk/mail/")
    assert "restored just now, from a backup that was 1 hour old" in page.text
    assert "that may have left already" in page.text
    desk.send(next(form for form in page.forms if ("choice", "later") in form.buttons), choice="later")
    assert "leave when they are due" in desk.page.text
    assert "not due yet" not in desk.page.text
    send = next(form for form in desk.page.forms if form.action.endswith("/send"))
    assert desk.send(send).path == "/desk/mail/"
    with app.app_context():
        assert send_due_mail() == 1
    assert "on hold since the restore" not in desk.open("/desk/mail/").text


def test_or_nothing_of_it_leaves(restored, desk, app, clock):
    page = desk.open("/desk/mail/")
    desk.send(next(form for form in page.forms if ("choice", "none") in form.buttons), choice="none")
    clock.shift(86400)
    with app.app_context():
        assert send_due_mail() == 0


def test_what_to_do_with_it_is_the_front_desks_to_say(restored, staff):
    manager, clinician = staff(StaffRole.MANAGER), staff(StaffRole.CLINICIAN)
    assert manager.open("/desk/mail/").status == 200
    assert clinician.open("/desk/mail/").status == 403
