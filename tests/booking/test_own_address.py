"""A mistyped address is corrected on the confirmation, by who has booked: mail goes there, and to nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.booking import holds, links, waitlist
from portal.booking.changes import allow_another, cancel
from portal.booking.models import Appointment, Offer, Patient
from portal.booking.own_address import correct_own_address
from portal.booking.wishes import Wishes
from portal.core.db import db
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.queries import list_problems
from portal.notifications.services import note_bounce
from tests.assessment.test_walk import NECK
from tests.booking.test_mails import link_in, read, send_mail
from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines
ADDRESS = "/book/confirmed/address"


@pytest.fixture
def booked(visitor, app, mail_server):
    """Booked with a slip in the address, to which the confirmation has gone."""
    visitor.finish(**NECK)
    visitor.book(email="jnae@example.com")
    send_mail(app)
    return visitor


def correct(person, email="jane@example.com"):
    person.open(ADDRESS)
    return person.send(email=email)


def mails_to(mail_server, address):
    found = [read(raw) for raw in mail_server.received]
    return [mail for mail in found if mail[0]["To"] == address]


def test_a_wrong_address_is_corrected_on_the_confirmation_and_its_link_ends(booked, app, clock, mail_server):
    visitor = booked
    visitor.open(visitor.page.link(ADDRESS))
    assert visitor.send(email="jane").status == 422
    page = visitor.send(email="jane@example.com")
    assert (page.path, page.outcome) == ("/book/confirmed", "booked")
    assert "<strong>jane@example.com</strong>" in page.text
    send_mail(app)
    astray, arrived = (read(raw) for raw in mail_server.received)
    assert [message["To"] for message, _ in (astray, arrived)] == ["jnae@example.com", "jane@example.com"]
    assert Visitor(app).open(link_in(astray)).status == 404
    assert Visitor(app).open(link_in(arrived)).outcome == "booked"

    assert Visitor(app).open(ADDRESS).path != ADDRESS
    clock.shift(timedelta(hours=1))
    assert visitor.open(ADDRESS).path == "/book/confirmed"


def test_what_comes_back_from_the_wrong_address_later_troubles_nobody(booked, app, mail_server):
    correct(booked)
    send_mail(app)
    with app.app_context():
        astray, arrived = db.session.scalars(select(OutgoingMail.id).where(OutgoingMail.kind == "booked"))
        assert note_bounce(astray, "5.1.1 unknown")
        assert list_problems() == []
        assert note_bounce(arrived, "5.1.1 unknown")
        assert [mail.id for mail in list_problems()] == [arrived]


def test_also_after_the_visit_was_cancelled_by_mistake_and_taken_up_again(booked, app, mail_server):
    booked.open(f"/visit/{booked.page.reference}/cancel")
    booked.send(choice="time")
    assert booked.send(confirmed="yes").outcome == "cancelled"
    assert booked.send(choice="again").outcome == "booked"
    correct(booked)
    send_mail(app)
    (arrived,) = mails_to(mail_server, "jane@example.com")
    assert Visitor(app).open(link_in(arrived)).outcome == "booked"


def test_also_while_the_mail_to_the_wrong_one_is_under_way(booked, app, diary, mail_server):
    with app.app_context():
        db.session.execute(update(OutgoingMail).values(state=MailState.HANDING_OVER, worker="another"))
        db.session.commit()
    correct(booked)
    send_mail(app)
    (arrived,) = mails_to(mail_server, "jane@example.com")
    assert Visitor(app).open(link_in(arrived)).outcome == "booked"


def test_an_earlier_time_that_is_on_offer_is_mailed_there_too(app, book, diary, mail_server):
    book("2026-11-23 09:00")
    with app.test_request_context():
        visit_id = db.session.scalar(select(Appointment.id))
        waitlist.join(visit_id, Wishes())
    book("2026-11-20 09:00")
    with app.test_request_context():
        cancel(db.session.scalar(select(Appointment.id).where(Appointment.id != visit_id)), "time")
    send_mail(app)
    with app.test_request_context():
        correct_own_address(visit_id, "jane@example.com")
    send_mail(app)
    texts = [parts["text/plain"].get_content() for _, parts in mails_to(mail_server, "jane@example.com")]
    offered = f"/waitlist/{diary.scalar(select(Offer.token))}"
    assert [offered in text for text in texts].count(True) == 1


def test_the_same_address_once_more_sends_the_link_again(booked, app, mail_server):
    correct(booked, "jnae@example.com")
    send_mail(app)
    confirmed, again = mails_to(mail_server, "jnae@example.com")
    assert link_in(confirmed) == link_in(again)


def test_three_times_and_then_by_phone(booked, app):
    answers = [correct(booked, f"jane{number}@example.com").status for number in range(4)]
    assert answers == [200, 200, 200, 429]


def test_who_books_with_somebodys_details_turns_no_other_mail_elsewhere(visitor, app):
    visitor.pass_safety()
    visitor.book()
    with app.app_context():
        allow_another(db.session.scalar(select(Appointment.id)))
    other = Visitor(app)
    other.pass_safety()
    other.book()
    other.open("/book/confirmed/address")
    other.send(email="elsewhere@example.com")
    with app.app_context():
        emails = select(Patient.email).join(Appointment)
        assert sorted(db.session.scalars(emails)) == ["elsewhere@example.com", "jane@example.com"]


def test_what_holds_the_record_holds_the_visit_that_leaves_it(booked, app, staff):
    staff(StaffRole.MANAGER)
    with app.app_context():
        visit = db.session.scalar(select(Appointment))
        allow_another(visit.id)
        holds.set_hold(visit.patient_id, "A claim", staff_id=db.session.scalar(select(User.id)))
    other = Visitor(app)
    other.pass_safety()
    other.book(email="jnae@example.com")
    correct(other)
    with app.app_context():
        held = select(func.count()).select_from(holds.select_held_visits().subquery())
        assert db.session.scalar(held) == 2


def test_where_the_desk_has_ended_the_link_nothing_opens_the_visit_again(booked, app):
    booked.open(ADDRESS)
    with app.app_context():
        links.revoke(db.session.scalar(select(Appointment.id)))
    booked.send(email="elsewhere@example.com")
    assert booked.open("/book/confirmed").status == 404
    with app.app_context():
        assert not links.is_live(db.session.scalar(select(Appointment)))
        assert db.session.scalar(select(Patient.email)) == "jnae@example.com"
