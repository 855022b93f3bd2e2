"""The outbox: what leaves is true, in order, never lost; what cannot leave is a task for the desk."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, select, text, update

from benchmarks.stored import note_queries
from portal.booking.models import Appointment
from portal.core import clock as portal_clock
from portal.core.db import db
from portal.core.kept import KEEP
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.queries import list_problems, oldest_waiting
from portal.notifications.services import note_bounce, send_due_mail, send_now, withhold
from tests.notifications.queued import queue_confirmations
from tests.visitor import Visitor


@pytest.fixture
def send(app):
    def send():
        with app.app_context():
            return send_due_mail()

    return send


@pytest.fixture
def visit(app, visitor):
    """A booked visit on November 30; its link."""
    visitor.pass_safety()
    visitor.open("/book/?day=2026-11-30")
    visitor.book(visitor.free_slots()[0])
    with app.app_context():
        return f"/visit/{db.session.scalar(select(Appointment)).token}"


def states(app):
    with app.app_context():
        return {mail.kind: mail.state for mail in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id))}


def subjects(mailbox):
    return [
        next(line for line in raw.decode().splitlines() if line.startswith("Subject:")).removeprefix("Subject: ")
        for raw in mailbox.received
    ]


def change(app, visit, *steps):
    """Move or cancel by the link."""
    person = Visitor(app)
    for step in steps:
        person.open(f"{visit}/{step}")
        if step == "move":
            form = next(form for form in person.page.forms if "slot" in form.choices)
            person.send(form, slot=form.choices["slot"][-1])
        else:
            person.send(choice="time")
            person.send(confirmed="yes")


class TestReminders:
    def test_they_come_three_days_and_one_day_before_at_nine_by_the_clocks_of_the_place(
        self, app, visit, send, mail_server, clock
    ):
        send()
        clock.move_to("2026-11-27T13:59:00Z")
        send()
        assert not any("Reminder" in subject for subject in subjects(mail_server))
        clock.move_to("2026-11-27T14:00:00Z")
        send()
        assert subjects(mail_server)[-1] == "Reminder: your appointment on Monday, November 30"
        clock.move_to("2026-11-29T14:00:00Z")
        send()
        assert subjects(mail_server).count("Reminder: your appointment on Monday, November 30") == 2

    @pytest.mark.both_engines
    def test_of_a_cancelled_or_moved_visit_none_leaves_for_the_old_time(self, app, visit, send, mail_server, clock):
        send()
        change(app, visit, "move")
        clock.move_to("2026-11-27T14:00:00Z")
        send()
        assert all("November 30" not in subject for subject in subjects(mail_server)[1:])
        change(app, visit, "cancel")
        clock.move_to("2026-12-20T14:00:00Z")
        send()
        assert "cancelled" in subjects(mail_server)[-1]
        assert set(states(app).values()) <= {MailState.SENT, MailState.SUPERSEDED}

    def test_whoever_books_for_tomorrow_gets_the_confirmation_alone(self, app, visitor, send, mail_server, clock):
        visitor.pass_safety()
        visitor.book()
        send()
        clock.shift(timedelta(days=1))
        send()
        assert len(mail_server.received) == 1


@pytest.mark.both_engines
def test_book_move_cancel_while_the_server_is_down_only_what_is_true_leaves(app, visit, send, mail_server, clock):
    mail_server.answers["rcpt"] = "451 try later"
    send()
    change(app, visit, "move", "cancel")
    send()
    mail_server.answers.clear()
    clock.shift(timedelta(minutes=6))
    send()
    (subject,) = subjects(mail_server)
    assert subject.endswith("is cancelled")


@pytest.mark.both_engines
def test_a_passing_refusal_is_tried_for_three_days_and_then_a_task(app, visit, send, mail_server, clock):
    mail_server.answers["rcpt"] = "451 greylisted"
    begun = portal_clock.now()
    while portal_clock.now() - begun < timedelta(hours=71):
        send()
        clock.shift(timedelta(hours=3))
    assert states(app)["booked"] == MailState.RETRYING
    clock.shift(timedelta(hours=2))
    send()
    with app.app_context():
        assert states(app)["booked"] == MailState.FAILED
        assert [mail.last_error for mail in list_problems() if mail.kind == "booked"] == ["451 greylisted"]


def test_the_pauses_between_tries_grow_to_five_minutes_at_most(app, visit, send, mail_server, clock):
    mail_server.answers["rcpt"] = "451 try later"
    pauses = []
    for _ in range(10):
        send()
        with app.app_context():
            mail = db.session.scalar(select(OutgoingMail).where(OutgoingMail.kind == "booked"))
            pauses.append(mail.not_before - portal_clock.now())
        clock.move_to(mail.not_before)
    assert pauses[0] < timedelta(seconds=11)
    assert timedelta(minutes=2) < max(pauses) <= timedelta(minutes=5)


def test_a_refused_recipient_is_on_the_desks_list_with_the_phone_number_at_once(app, visit, send, mail_server, desk):
    mail_server.answers["rcpt"] = "550 no such user"
    send()
    page = desk.open("/desk/mail/")
    assert "550 no such user" in page.text
    assert "(212) 555-0177" in page.text
    mail_server.answers.clear()
    desk.open(page.link("/desk/visit/"))
    address = next(form for form in desk.page.forms if "address" in form.action)
    desk.send(address, email="jane.doe@example.com")
    send()
    assert b"jane.doe@example.com" in mail_server.received[-1]
    assert "All mail has left" in desk.open("/desk/mail/").text


def test_one_letter_that_cannot_be_written_holds_up_no_other(app, visit, send, mail_server, monkeypatch):
    from portal.notifications import letters

    def fail(*_):
        raise ValueError("broken on purpose")

    monkeypatch.setitem(letters._writers, "booked", fail)
    with app.app_context():
        db.session.execute(
            update(OutgoingMail).where(OutgoingMail.kind != "booked").values(not_before=portal_clock.now())
        )
        db.session.commit()
    send()
    assert len(mail_server.received) == len(states(app)) - 1
    assert states(app)["booked"] == MailState.RETRYING


@pytest.mark.both_engines
def test_a_message_keeps_its_id_when_it_is_sent_again(app, visit, send, mail_server):
    send()
    with app.app_context():
        assert send_now(db.session.scalar(select(OutgoingMail.id).where(OutgoingMail.kind == "booked")))
    send()
    ids = [line for raw in mail_server.received for line in raw.splitlines() if line.startswith(b"Message-ID")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_a_bounce_is_noted_with_its_mail(app, visit, send, mail_server, desk):
    send()
    with app.app_context():
        assert note_bounce(db.session.scalar(select(OutgoingMail.id).where(OutgoingMail.kind == "booked")), "5.1.1")
    assert "5.1.1" in desk.open("/desk/mail/").text
    desk.send(next(form for form in desk.page.forms if "settle" in form.action))
    assert "All mail has left" in desk.page.text


class TestWhatStaffDoWaitsThreeMinutes:
    @pytest.fixture
    def at_the_visit(self, visit, send, mail_server, desk):
        send()
        desk.open("/desk/day/2026-11-30")
        desk.open(desk.page.link("/desk/visit/"))
        return desk

    def press(self, desk, path, **values):
        return desk.send(next(form for form in desk.page.forms if path in form.action), **values)

    @pytest.mark.both_engines
    def test_undone_before_nobody_hears_of_it(self, app, at_the_visit, send, mail_server, clock):
        self.press(at_the_visit, "/cancel", reason="clinic")
        clock.shift(timedelta(minutes=2, seconds=59))
        send()
        self.press(at_the_visit, "/undo")
        clock.shift(timedelta(minutes=10))
        send()
        assert len(mail_server.received) == 1
        with app.app_context():
            assert db.session.scalar(select(Appointment.status)) == "booked"

    def test_not_undone_the_patient_hears_that_the_clinic_is_sorry(self, at_the_visit, send, mail_server, clock):
        self.press(at_the_visit, "/cancel", reason="clinic")
        clock.shift(timedelta(minutes=3))
        send()
        assert "we are sorry" in mail_server.text()

    def test_it_can_leave_at_once_or_not_at_all(self, app, at_the_visit, send, mail_server, clock):
        self.press(at_the_visit, "/cancel", reason="patient")
        with app.app_context():
            waiting = db.session.scalar(select(OutgoingMail.id).where(OutgoingMail.kind == "cancelled"))
            assert withhold(waiting)
        clock.shift(timedelta(hours=1))
        send()
        assert len(mail_server.received) == 1
        path = at_the_visit.page.path
        at_the_visit.sign_in()
        at_the_visit.open(path)
        self.press(at_the_visit, f"/mail/{waiting}/send")
        send()
        assert len(mail_server.received) == 2

    def test_undone_too_late_the_patient_is_told_that_the_visit_stands(self, at_the_visit, send, mail_server, clock):
        self.press(at_the_visit, "/cancel", reason="clinic")
        clock.shift(timedelta(minutes=4))
        send()
        self.press(at_the_visit, "/undo")
        send()
        assert subjects(mail_server)[-1] == "Your appointment on Monday, November 30"


def test_the_digest_of_the_next_day_names_times_and_no_names(app, visit, send, mail_server, clock):
    from portal.booking.digest import queue_digests
    from portal.scheduling.models import Provider

    with app.app_context():
        db.session.execute(update(Provider).values(email="ada@clinic.example"))
        db.session.commit()
        clock.move_to("2026-11-29T21:59:00Z")
        assert queue_digests() == 0
        clock.move_to("2026-11-29T22:00:00Z")  # five in the evening in New York
        assert [queue_digests(), queue_digests()] == [1, 0]
    send()
    digests = [raw for raw in mail_server.received if b"ada@clinic.example" in raw]
    assert len(digests) == 1
    assert b"List-Unsubscribe" in digests[0]
    assert b"Jane" not in digests[0]
    assert b"9:00 am EST" in digests[0]


@pytest.mark.both_engines
def test_how_long_mail_has_waited_counts_from_when_it_was_due(app, visit, clock):
    with app.app_context():
        assert oldest_waiting() == datetime.fromisoformat("2026-11-18T15:00:00Z")
    clock.shift(timedelta(minutes=20))
    assert Visitor(app).open("/readyz").status == 503


def test_the_summary_behind_the_link_asks_for_the_date_of_birth(app, visitor, clock):
    from tests.assessment.test_walk import NECK

    visitor.finish(**NECK)
    visitor.book()
    with app.app_context():
        link = f"/visit/{db.session.scalar(select(Appointment)).token}"
    person = Visitor(app)
    person.open(f"{link}/brief")
    assert "cervicogenic" not in person.page.text.lower()
    assert person.send(date_of_birth="5/18/1980").status == 422
    assert "cervicogenic" in person.send(date_of_birth="5/17/1980").text.lower()
    for _ in range(10):
        person.open(f"{link}/brief")
        person.send(date_of_birth="5/18/1980")
    person.open(f"{link}/brief")
    assert person.send(date_of_birth="5/17/1980").outcome == "limited"


def test_every_mail_in_every_state_can_be_looked_at_and_leaves_nothing_behind(app, visitor):
    page = visitor.open("/dev/mail/")
    samples = [link for link in page.links if "/preview/" in link]
    assert len(samples) >= 12
    for link in samples:
        assert visitor.open(link).status == 200
        assert visitor.open(f"{link}/html").status == 200
    with app.app_context():
        assert db.session.scalar(select(Appointment.id)) is None


@pytest.mark.both_engines
def test_each_mail_asks_the_database_four_times(app):
    """To claim it, what it says, to hand it over and what became of it."""
    app.config["KEEP"] = KEEP
    with app.app_context():
        send_due_mail()
        asked = []
        for count in (2, 5):
            queue_confirmations(count)
            with note_queries() as sent:
                assert send_due_mail() == count
            asked.append(len(sent))
    assert asked[1] - asked[0] <= 3 * 4


@pytest.mark.both_engines
def test_an_idle_worker_asks_one_question_and_locks_nothing(app):
    with app.app_context():
        send_due_mail()
        with note_queries() as sent:
            assert send_due_mail() == 0
    assert [statement.split()[0] for statement in sent] == ["SELECT"]


@pytest.mark.both_engines
@pytest.mark.parametrize("asked", ["AS anon_1", "RETURNING"], ids=["look", "claim"])
def test_the_next_mail_is_found_as_fast_in_a_long_queue_as_in_a_short_one(app, engine, asked):
    """By an index, in its order: nothing is read through and nothing sorted."""
    with app.app_context():
        seen = []
        queue_confirmations(1)
        event.listen(db.engine, "before_cursor_execute", lambda *call: seen.append(call[2:4]))
        send_due_mail()
        statement, values = next(call for call in seen if asked in call[0])
        if engine == "postgresql":
            db.session.execute(text("SET LOCAL enable_seqscan = off"))  # it would read a short table through
        explain = "EXPLAIN " if engine == "postgresql" else "EXPLAIN QUERY PLAN "
        plan = str(db.session.connection().exec_driver_sql(explain + statement, values).all())
    assert "ix_outgoing_mail_to_send" in plan
    assert "sort" not in plan.lower().replace("_", " ")
    assert "B-TREE" not in plan
