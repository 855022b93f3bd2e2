"""The mail a patient gets: received by a real SMTP server and taken apart."""

import email
import re
from datetime import timedelta
from email.policy import default
from email.utils import parseaddr

import pytest
from icalendar import Calendar
from sqlalchemy import select, update

from portal.assessment.questionnaire import QUESTIONS
from portal.booking import links
from portal.booking.models import Appointment
from portal.core.clock import now
from portal.core.db import db
from portal.notifications.letters import write_letter
from portal.notifications.services import send_due_mail
from portal.scheduling.models import Clinic
from tests.assessment.test_walk import NECK
from tests.visitor import Visitor


def send_mail(app):
    with app.app_context():
        return send_due_mail()


def read(raw):
    message = email.message_from_bytes(raw, policy=default)
    parts = {part.get_content_type(): part for part in message.walk() if not part.is_multipart()}
    return message, parts


def calendar_of(message):
    part = next(p for p in message.walk() if p.get_content_type() == "text/calendar" and not p.get_filename())
    calendar = Calendar.from_ical(part.get_content())
    return part, calendar, calendar.walk("VEVENT")[0]


@pytest.fixture
def booked(visitor, app, mail_server):
    visitor.finish(**NECK)
    page = visitor.book()
    send_mail(app)
    return page, mail_server


def link_in(mail):
    """The path of the visit's link."""
    _, parts = mail
    return re.search(r"/visit/\S+", parts["text/plain"].get_content())[0]


def test_the_confirmation_arrives_with_text_html_calendar_and_attachment(booked):
    page, mailbox = booked
    (raw,) = mailbox.received
    message, parts = read(raw)
    assert parts.keys() == {"text/plain", "text/html", "text/calendar"}
    assert message["To"] == "jane@example.com"
    assert message["Subject"] == "Your appointment on Wednesday, November 18"
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = parts["text/plain"].get_content(), parts["text/html"].get_content()
    for fact in ("Wednesday, November 18, 12:00 pm", "EST", "Ada Test, MD", page.reference, "(212) 555-0100"):
        assert fact in text
        assert fact in html
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "appointment.ics"


def test_the_link_in_the_mail_opens_the_visit(booked, app):
    page, mailbox = booked
    text = read(mailbox.received[0])[1]["text/plain"].get_content()
    link = next(line for line in text.splitlines() if "/visit/" in line)
    assert link.startswith("http://127.0.0.1:8000/visit/")
    assert Visitor(app).open(link.removeprefix("http://127.0.0.1:8000")).reference == page.reference


def test_the_calendar_entry_is_a_request_from_the_sender_with_the_right_time(booked):
    message, _ = read(booked[1].received[0])
    part, calendar, event = calendar_of(message)
    assert part["Content-Type"].params["method"] == calendar["METHOD"] == "REQUEST"
    assert event["ORGANIZER"] == f"mailto:{parseaddr(message['From'])[1]}"
    assert event["ATTENDEE"] == "mailto:jane@example.com"
    assert (event["SEQUENCE"], event["STATUS"], event["CLASS"]) == (0, "CONFIRMED", "PRIVATE")
    assert event.decoded("DTSTART").isoformat() == "2026-11-18T17:00:00+00:00"
    assert event["SUMMARY"] == "Appointment – Test Clinic"
    raw = part.get_payload(decode=True)
    assert b"\r\n" in raw
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))


def test_the_mail_before_the_visit_speaks_of_a_summary_only_where_there_is_one(book, app):
    book("2026-11-20 09:00")
    with app.test_request_context():
        visit = db.session.scalar(select(Appointment))
        assert "summary" not in write_letter("prepare", visit.id, 0).text
        visit.assessment.finished_at = now()
        letter = write_letter("prepare", visit.id, 0)
        assert "photo ID" in letter.text  # who comes to the clinic; the kept letter is of a call
        assert "photo ID" in letter.html
        assert "the summary that your care team reads" in letter.text
        assert "the summary that your care team reads" in letter.html


def test_once_the_desk_has_ended_the_link_mails_have_none_and_say_to_call(book, diary, app, mail_server, clock):
    _, reference = book("2026-11-20 09:00")
    with app.app_context():
        links.revoke(diary.scalar(select(Appointment.id).where(Appointment.reference == reference)))
    for moment in ("2026-11-18T15:00:00Z", "2026-11-18T16:00:00Z", "2026-11-19T14:00:00Z"):
        clock.move_to(moment)
        send_mail(app)
    letters = [read(raw)[1] for raw in mail_server.received]
    for kind in ("text/plain", "text/html"):
        confirmation, preparation, reminder = (parts[kind].get_content() for parts in letters)
        assert "/visit/" not in confirmation + preparation + reminder
        assert "To change or cancel it, please call us: " in confirmation
        assert "Cannot come? Please call us: " in reminder


@pytest.mark.parametrize(("begins", "can_change"), [("2026-11-20 09:00", False), ("2026-11-20 11:00", True)])
def test_what_a_reminder_says_of_changing_the_visit_is_still_so_an_hour_later(
    book, app, mail_server, clock, begins, can_change
):
    with app.app_context():
        db.session.execute(update(Clinic).values(change_cutoff_minutes=24 * 60))
        db.session.commit()
    link, _ = book(begins)
    clock.move_to("2026-11-19T14:00:00Z")
    send_mail(app)
    parts = next(parts for message, parts in map(read, mail_server.received) if "Reminder" in message["Subject"])
    clock.shift(timedelta(minutes=59))
    page = Visitor(app).open(link)
    assert any(address.endswith("/move") for address in page.links) == can_change
    for kind in ("text/plain", "text/html"):
        words = parts[kind].get_content()
        assert link in words
        assert ("Give the time back or move it" in words) == can_change
        assert ("Please call us: " in words) != can_change


def test_cancelling_takes_the_entry_out_of_the_calendar(booked, visitor, app):
    page, mailbox = booked
    link = page.link("/visit/")
    visitor.open(f"{link}/cancel")
    visitor.send(choice="time")
    visitor.send(confirmed="yes")
    send_mail(app)
    first, second = (calendar_of(read(raw)[0])[2] for raw in mailbox.received)
    assert first["UID"] == second["UID"]
    assert (first["SEQUENCE"], second["SEQUENCE"]) == (0, 1)
    assert second["STATUS"] == "CANCELLED"


def test_a_visit_cancelled_before_the_mail_left_never_sends_the_confirmation(visitor, app, mail_server):
    visitor.pass_safety()
    link = visitor.book().link("/visit/")
    visitor.open(f"{link}/cancel")
    visitor.send(choice="time")
    visitor.send(confirmed="yes")
    send_mail(app)
    (raw,) = mail_server.received
    assert read(raw)[0]["Subject"].endswith("is cancelled")


def test_no_answer_and_no_kind_of_visit_is_named_in_mail_or_calendar(booked):
    message, parts = read(booked[1].received[0])
    said = " ".join([message["Subject"], *(part.get_content() for part in parts.values())]).lower()
    words = {option.words.lower() for question in QUESTIONS.values() for option in question.options}
    tell_tale = {word for word in words if len(word) > 12} | {
        "headache",
        "migraine",
        "neuralgia",
        "consult",
        "pain",
    }
    assert not [word for word in tell_tale if word in said.replace("pain medicine", "")]


@pytest.mark.parametrize(
    "name", ["Jane\r\nBcc: all@example.com", "Jane; X=1, \\n evil", "Jane\u2028DESCRIPTION:x", '"Jane"']
)
def test_a_hostile_name_adds_no_header_and_no_calendar_line(visitor, app, mail_server, name):
    visitor.pass_safety()
    visitor.book(name=name)
    send_mail(app)
    message, _ = read(mail_server.received[0])
    assert message["Bcc"] is None
    event = calendar_of(message)[2]
    assert event.keys() >= {"UID", "ATTENDEE"}
    assert "X" not in event
    assert not event["DESCRIPTION"].startswith("x")


def test_a_mail_server_that_is_down_loses_nothing(visitor, app, mail_server, clock):
    from portal.notifications.models import MailState, OutgoingMail

    visitor.pass_safety()
    visitor.book()
    mail_server.answers["data"] = "451 try later"
    send_mail(app)
    with app.app_context():
        from portal.core.db import db

        assert db.session.scalar(db.select(OutgoingMail.state)) == MailState.RETRYING
    mail_server.answers.clear()
    send_mail(app)
    assert mail_server.received == []  # not yet: it waits before it tries again
    clock.shift(60)
    send_mail(app)
    assert len(mail_server.received) == 1


def test_an_address_that_the_server_refuses_is_a_failure_the_desk_can_see(visitor, app, mail_server):
    from portal.core.db import db
    from portal.notifications.models import OutgoingMail

    visitor.pass_safety()
    visitor.book()
    mail_server.answers["rcpt"] = "550 no such user"
    send_mail(app)
    with app.app_context():
        mail = db.session.scalars(db.select(OutgoingMail)).one()
        assert (mail.state, mail.last_error) == ("failed", "550 no such user")
