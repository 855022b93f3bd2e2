"""What is stored is readable by nobody without the keys, and moves to a new key while people book."""

import os
import subprocess
import sys

import pytest
from sqlalchemy import select, update

from portal.booking.models import Appointment, Patient, PatientRequest
from portal.booking.people import find_patients
from portal.core import crypto, keys
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from tests.conftest import SECRETS, portal_with, settings_environment, some_of
from tests.data.conftest import NAME, dump
from tests.data.conftest import SECRETS as WORDS
from tests.servers import ROOT
from tests.visitor import Visitor

OLD = SECRETS["encryption_keys"]
NEW = ("a-newer-test-key-long-enough-to-start", *OLD)


@pytest.fixture
def command(app):
    def run(*arguments, portal=app):
        return portal.test_cli_runner().invoke(args=["keys", *arguments])

    return run


@pytest.fixture
def with_keys(settings):
    """The same portal with other keys."""
    made = []

    def with_keys(*encryption_keys):
        made.append(portal_with(settings.model_copy(update={"encryption_keys": encryption_keys})))
        return made[-1]

    yield with_keys
    for portal in made:
        with portal.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def renewed(with_keys):
    """With a new key before the old one."""
    return with_keys(*NEW)


def found_by(app, text):
    with app.app_context():
        return [match.patient.name for match in find_patients(text)]


def test_without_the_keys_nothing_that_was_typed_can_be_read_but_names_and_birth_dates(app, life):
    stored = dump(app)
    assert [words for words in WORDS if words in stored] == []
    assert "Zelda" in stored  # the desk finds people by parts of their names: decision 0011


def test_no_key_is_in_the_database(app, life):
    stored = dump(app)
    with app.app_context():
        names = crypto.get_keyring().names
    assert [key for key in (*OLD, *names, app.secret_key) if key in stored] == []


def test_a_keyed_hash_cannot_be_made_without_the_key_nor_compared_across_columns(app, renewed):
    with app.app_context():
        first, other = crypto.keyed_hash("phone", "1"), crypto.keyed_hash("mailbox", "1")
    with renewed.app_context():
        assert len({first, other, crypto.keyed_hash("phone", "1"), crypto.token_hash("1")}) == 4
        assert first in crypto.find_hashes("phone", "1")


def test_an_encrypted_column_cannot_be_searched_by_mistake():
    with pytest.raises(TypeError, match="keyed hash"):
        select(Patient).where(Patient.email == "jane@example.com")


@pytest.mark.both_engines
def test_everything_moves_to_the_new_key_and_then_the_old_one_can_go(app, life, renewed, command, with_keys):
    planned = command("rotate", "--dry-run", portal=renewed)
    assert "would be brought" in planned.output
    assert command("check", portal=renewed).exit_code == 1
    before = dump(app)
    done = command("rotate", portal=renewed)
    assert done.exit_code == 0, done.output
    assert "may be removed: 2 (" in done.output
    assert dump(app) != before
    alone = with_keys(NEW[0])
    assert command("check", portal=alone).exit_code == 0
    for text in ("6465550133", "zelda.q@", "zelda.q@example.org"):
        assert found_by(alone, text) == ["Zelda Quixote"]
    with alone.app_context():
        assert {request.name for request in db.session.scalars(select(PatientRequest))} == {NAME["name"]}
    assert command("check").exit_code == 1  # the old key alone reads nothing of it


def test_it_can_be_stopped_and_begun_again(app, life, renewed, command, monkeypatch):
    monkeypatch.setattr(keys, "_store", _fail_after(keys._store, 3))
    assert isinstance(command("rotate", portal=renewed).exception, KeyboardInterrupt | SystemExit)
    monkeypatch.undo()
    assert command("rotate", portal=renewed).exit_code == 0


def _fail_after(function, count):
    left = iter(range(count))

    def fail(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return fail


@pytest.mark.both_engines
def test_what_was_stored_readable_by_the_version_before_is_read_and_then_encrypted(app, life, command, diary):
    with app.app_context():
        raw = OutgoingMail.__table__.c.last_error
        mail_id = db.session.scalar(select(OutgoingMail.id).where(raw.is_not(None)))
        connection = db.session.connection()
        connection.exec_driver_sql(
            f"UPDATE outgoing_mail SET last_error = '550 plain@example.org' WHERE id = {mail_id}"
        )
        connection.exec_driver_sql("UPDATE patient_request SET name = 'Plain Name', phone = '+16465550133'")
        db.session.commit()
    assert diary.scalar(select(OutgoingMail.last_error).where(OutgoingMail.id == mail_id)) == "550 plain@example.org"
    assert diary.scalar(select(PatientRequest.name)) == "Plain Name"
    assert "3 not encrypted yet" not in command("check").output
    assert "1 not encrypted yet" in command("check").output
    assert command("rotate").exit_code == 0
    assert "plain@example.org" not in dump(app)
    assert diary.scalar(select(PatientRequest.name)) == "Plain Name"


def test_a_key_that_is_missing_is_told_and_nothing_is_lost(app, life, command, with_keys):
    wrong = with_keys(NEW[0])
    before = dump(app)
    result = command("rotate", portal=wrong)
    assert result.exit_code == 1
    assert "by none of these keys" in result.output or result.exception is not None
    assert dump(app) == before


@pytest.mark.both_engines
@pytest.mark.parametrize("engine", some_of(["sqlite", "postgresql"], "postgresql"), indirect=True)
def test_while_people_book_in_another_process_with_the_new_key_nothing_is_lost(app, life, renewed, settings, diary):
    """One process rotates, this one writes: notes change under the rotation, and new visits come in."""
    with renewed.app_context():
        ids = list(db.session.scalars(select(Appointment.id)))
        written: dict[object, str] = {}
        environment = settings_environment(settings.model_copy(update={"encryption_keys": NEW}))
        rotation = _start_rotation(environment)
        for number in range(60):
            id_ = ids[number % len(ids)]
            written[id_] = f"note {number}"
            db.session.execute(update(Appointment).where(Appointment.id == id_).values(note=written[id_]))
            db.session.commit()
        output, _ = rotation.communicate(timeout=120)
        assert rotation.returncode == 0, output
        db.session.expire_all()
        assert {id_: db.session.get(Appointment, id_).note for id_ in written} == written
        assert keys.survey().left == 0


def test_one_that_still_writes_under_the_old_key_is_found_out(app, life, renewed, command, monkeypatch):
    """A process that was not restarted goes on encrypting under what was the newest key."""
    survey = keys.survey

    def write_meanwhile():
        with app.app_context():
            db.session.execute(update(Appointment).values(note="by the old key"))
            db.session.commit()
        return survey()

    monkeypatch.setattr(keys, "survey", write_meanwhile)
    result = command("rotate", portal=renewed)
    monkeypatch.undo()
    assert result.exit_code == 1
    assert "old settings" in result.output
    assert command("rotate", portal=renewed).exit_code == 0


def test_one_person_has_one_visit_of_a_kind_across_a_new_key(app, book, diary, renewed):
    book("2026-11-20 09:00", name="Jane Doe", email="jane@example.com")
    again = Visitor(renewed)
    again.pass_safety()
    page = again.book(diary.slot_at("2026-11-23 09:00"), name="Jane Doe", email="jane@example.com")
    assert page.outcome == "limited"


def _start_rotation(environment):
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "keys", "rotate"]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
