"""Somebody about whom there is something in every table, and ways to look at the database without its models."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import MetaData, select

from portal.accounts.services import StaffRole
from portal.booking.models import Appointment, Offer, Patient
from portal.core.db import Base, db
from portal.notifications.models import OutgoingMail
from portal.notifications.services import note_bounce, send_due_mail
from tests.assessment.test_walk import NECK
from tests.booking.conftest import book, diary  # noqa: F401 - fixtures
from tests.visitor import Visitor

NAME = {"name": "Zelda Quixote", "email": "zelda.q@example.org", "phone": "646 555 0133", "date_of_birth": "2/29/1980"}
OTHER = {"name": "Zelda Quixotte", "email": "zq@example.net", "phone": "646 555 0144", "date_of_birth": "2/29/1980"}
WORDS = ("jasmine tea helps", "walks with a cane", "prefers the blue room", "sister drives her", "asks about her dog")
# What nobody may find in the database who has no key; of these the name and the date of birth stand readable.
SECRETS = ("zelda.q@example.org", "zq@example.net", "6465550133", "6465550144", *WORDS)
# What must be gone when the person is erased, however it is written.
TRACES = (*SECRETS, "Zelda", "Quixot", "1980-02-29")


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


def dump(app):
    """All that the database holds, as it is stored, in one text."""
    with app.app_context(), db.engine.connect() as connection:
        stored = MetaData()
        stored.reflect(connection)
        rows = [list(connection.exec_driver_sql(f'SELECT * FROM "{name}"')) for name in stored.tables]
        return "\n".join(repr(tuple(bytes(v) if isinstance(v, memoryview) else v for v in r)) for t in rows for r in t)


def dump_decrypted(app):
    """All that the portal itself reads from the database."""
    with app.app_context():
        tables = Base.metadata.sorted_tables
        return "\n".join(repr(row) for table in tables for row in db.session.execute(select(table)))


@pytest.fixture
def life(app, manager, desk, book, diary, mail_server, clock, once):  # noqa: F811
    """Book, move, wait, be noted, ask for calls, be merged, be written to, come: the person's id and visit's link."""
    return once("life", lambda: _live(app, manager, desk, book, diary, clock), manager, desk)


def _live(app, manager, desk, book, diary, clock):  # noqa: F811
    sick = Visitor(app)
    sick.open("/r/leaflet")
    sick.finish(**NECK)
    sick.open("/assessment/pause")
    sick.send(sick.page.forms[0], email=NAME["email"])
    reference = sick.book(diary.slot_at("2026-11-20 11:00"), **NAME, note=WORDS[0]).reference
    link = f"/visit/{diary.token(reference)}"
    sick.open(f"{link}/earlier")
    sick.send()
    visit_id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
    patient_id = diary.scalar(select(Appointment.patient_id).where(Appointment.reference == reference))
    _offer_an_earlier_time(app, book)
    asking = Visitor(app)
    asking.open("/request/call-back")
    asking.send(name=NAME["name"], phone=NAME["phone"], best_time="any", note=WORDS[1])
    note = desk.open(f"/desk/visit/{visit_id}")
    desk.send(next(form for form in note.forms if form.action.endswith("/note")), words=WORDS[2])
    _, other = book("2026-11-23 09:00", "new", **OTHER, note=WORDS[3])
    other_id = diary.scalar(select(Appointment.patient_id).where(Appointment.reference == other))
    page = desk.open(f"/desk/patients/{patient_id}/merge/{other_id}")
    desk.send(next(form for form in page.forms if form.action.endswith(f"/merge/{other_id}")))
    cancel = _visit_of(desk, diary, other)
    desk.send(next(form for form in cancel.forms if form.action.endswith("/cancel")), reason="patient", words=WORDS[4])
    _bounce(app, visit_id)
    typed = desk.open("/desk/find")
    desk.send(typed.forms[0], q="quixote")
    clock.shift(timedelta(days=2, hours=1, minutes=5))
    for person in (desk, manager):
        person.sign_in()
    arrived = desk.open(f"/desk/visit/{visit_id}")
    desk.send(next(form for form in arrived.forms if form.action.endswith("/status")), status="arrived")
    return patient_id, link


def _offer_an_earlier_time(app, book):  # noqa: F811
    link, _ = book("2026-11-20 10:00")
    quits = Visitor(app)
    quits.open(f"{link}/cancel")
    quits.send(choice="time")
    assert quits.send(confirmed="yes").outcome == "cancelled"
    with app.app_context():
        assert db.session.scalar(select(Offer.id)) is not None


def _visit_of(desk, diary, reference):  # noqa: F811
    visit_id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
    return desk.open(f"/desk/visit/{visit_id}")


def _bounce(app, visit_id):
    with app.app_context():
        send_due_mail()
        mails = select(OutgoingMail).where(OutgoingMail.about_id == visit_id, OutgoingMail.kind == "booked")
        mail = db.session.scalar(mails)
        assert note_bounce(mail.id, f"550 no mailbox {NAME['email']}")


def count_patients(app):
    with app.app_context():
        return len(db.session.scalars(select(Patient)).all())


def words_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
