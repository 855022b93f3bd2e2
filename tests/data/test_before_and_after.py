"""The version before runs on what this one stores and the other way round: nothing is lost by going up or down."""

import hashlib

import pytest
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import select, text

from portal.booking import services
from portal.booking.models import Appointment, Patient
from portal.booking.people import find_patients
from portal.config import resource_folder
from portal.core import crypto, keys
from portal.core.db import db
from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines

JANE = {"name": "Jane Doe", "email": "Jane@Example.com", "phone": "646 555 0133", "date_of_birth": "5/17/1980"}


@pytest.fixture
def visit(book):
    _, reference = book("2026-11-20 09:00", **JANE)
    return reference


def stored(query):
    with db.engine.connect() as connection:
        return connection.execute(text(query)).one()


def before():
    script = ScriptDirectory(str(resource_folder("migrations")))
    return script.get_revision("0015").down_revision


def test_down_everything_is_readable_as_it_was_and_up_it_is_found_and_encrypted_again(app, visit, diary):
    with app.app_context():
        assert stored("SELECT email FROM patient").email.startswith("gAAAAA")
        downgrade(revision=before())
        assert tuple(stored("SELECT name, email, phone FROM patient")) == (
            "Jane Doe",
            "Jane@example.com",
            "+16465550133",
        )
        unkeyed = hashlib.sha256(b"janedoe|1980-05-17|jane@example.com|consult").hexdigest()
        assert stored("SELECT one_of_kind FROM appointment").one_of_kind == unkeyed
        upgrade()
        assert (
            stored("SELECT email FROM patient").email == "Jane@example.com"
        )  # for the version before, which still runs
        for words in ("jane@example.com", "0133", "6465550133"):
            assert [match.patient.name for match in find_patients(words)] == ["Jane Doe"]
        assert keys.rotate().left == 0
        assert stored("SELECT email FROM patient").email.startswith("gAAAAA")
        assert db.session.scalar(select(Patient)).email == "Jane@example.com"
        assert db.session.scalar(select(Appointment)).one_of_kind not in {None, unkeyed}


def test_a_second_visit_of_the_kind_is_known_before_the_hashes_are_made_anew(app, visit, diary):
    with app.app_context():
        downgrade(revision=before())
        upgrade()
        db.session.remove()
    again = Visitor(app)
    again.pass_safety()
    assert again.book(diary.slot_at("2026-11-23 09:00"), **JANE).outcome == "limited"


def test_up_a_name_is_found_by_the_plain_apostrophe_and_down_it_is_written_as_it_was(app, book):
    book("2026-11-20 09:00", name="Siobhán O’Brien")
    with app.app_context():
        downgrade(revision="0017")
        assert stored("SELECT name_key FROM patient").name_key == " siobhan o’brien"
        assert find_patients("o'brien") == []
        db.session.remove()
        upgrade()
        assert [match.patient.name for match in find_patients("o'brien")] == ["Siobhán O’Brien"]


def test_down_a_second_visit_of_the_kind_is_known_by_the_name_as_it_was_written(app, book):
    book("2026-11-20 09:00", **{**JANE, "name": "José O’Brien"})
    with app.app_context():
        downgrade(revision="0017")
        written = crypto.keyed_hash("one of kind", "joséo’brien|1980-05-17|jane@example.com|consult")
        assert stored("SELECT one_of_kind FROM appointment").one_of_kind == written


def test_a_visit_from_when_accents_counted_is_still_known(app, book, diary, monkeypatch):
    person = {**JANE, "name": "Siobhán O’Brien"}
    with monkeypatch.context() as before:
        before.setattr(services, "search_key", str.casefold)
        book("2026-11-20 09:00", **person)
    again = Visitor(app)
    again.pass_safety()
    assert again.book(diary.slot_at("2026-11-23 09:00"), **person).outcome == "limited"
