"""The drill: book, back up, book more, lose everything, restore; nothing is sent twice and booking goes on."""

import email
import shutil
import sqlite3
from datetime import timedelta
from unittest.mock import Mock

import pytest
from alembic.util import CommandError
from flask_migrate import downgrade, upgrade
from sqlalchemy import func, select, text

from portal import create_app
from portal.audit.verification import verify
from portal.booking.models import Appointment
from portal.core.clock import now
from portal.core.db import Base, db
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.services import send_due_mail
from tests.conftest import make_settings
from tests.visitor import Visitor

NIGHT = timedelta(hours=8)
DAY = timedelta(days=1)


def send_mail(app):
    with app.app_context():
        return send_due_mail()


def destroy(app):
    """What a broken disk or a wrong command leaves of the database."""
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("DROP SCHEMA public CASCADE"))
            db.session.execute(text("CREATE SCHEMA public"))
            db.session.commit()
            return
        db.session.remove()
        db.engine.dispose()
        file = app.config["PORTAL"].data_dir / "portal.db"
        file.write_bytes(b"\0" * 5000 + file.read_bytes()[5000:])


def references(app):
    with app.app_context():
        return set(db.session.scalars(select(Appointment.reference)))


def held(app):
    """The kinds of the mails on hold."""
    with app.app_context():
        return sorted(db.session.scalars(select(OutgoingMail.kind).where(OutgoingMail.state == MailState.HELD)))


def last_slot(app):
    """The value of the last free time: far enough for every reminder."""
    person = Visitor(app)
    person.pass_safety()
    return person.free_slots()[-1]


@pytest.mark.both_engines
def test_the_drill(app, run, backup, book, clock, mail_server):
    kept = book(last_slot(app))
    send_mail(app)
    unsent = book()
    file = backup()
    send_mail(app)
    clock.shift(NIGHT)
    lost = book()
    send_mail(app)
    destroy(app)

    status, said = run("restore", "--replace", file)
    assert status == 0, said
    assert "The last 8 hours 0 minutes are missing" in said
    assert "ok diary" in run("doctor")[1]
    assert references(app) == {kept, unsent}
    assert send_mail(app) == 0
    assert "booked" in held(app)  # whose confirmation left after the backup

    again = book()
    assert send_mail(app) == 1
    assert references(app) == {kept, unsent, again}
    assert lost not in references(app)
    assert "on hold since a restore" in run("doctor")[1]

    assert run("mail", "release", "--later")[0] == 0
    assert "reminder:1" not in held(app)
    assert send_mail(app) == 0
    sent = len(mail_server.received)
    for _ in range(14):
        clock.shift(DAY)
        send_mail(app)
    assert len(mail_server.received) > sent  # the reminders, which could not have left
    identities = [email.message_from_bytes(mail)["Message-ID"] for mail in mail_server.received]
    assert len(identities) == len(set(identities))


def test_what_stands_is_never_overwritten_by_accident(app, run, backup, book):
    reference = book()
    file = backup()
    status, said = run("restore", file)
    assert status == 1
    assert "--replace" in said
    assert references(app) == {reference}


@pytest.mark.both_engines
def test_the_database_of_before_is_kept_aside(app, run, backup, book):
    file = backup()
    later = book()
    _, said = run("restore", "--replace", file)
    assert references(app) == set()
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            schema = next(word for word in said.split() if word.startswith("before_restore_")).rstrip(".")
            rows = db.session.execute(text(f"SELECT reference FROM {schema}.appointment")).all()
        else:
            [aside] = app.config["PORTAL"].data_dir.glob("portal.db.before-restore-*Z")
            with sqlite3.connect(aside) as database:
                rows = database.execute("SELECT reference FROM appointment").fetchall()
            aside.unlink()
    assert [tuple(row) for row in rows] == [(later,)]


@pytest.mark.both_engines
def test_what_is_kept_aside_is_removed_without_harm_and_stands_in_no_backups_way(app, run, backup, engine, tmp_path):
    if engine != "postgresql":
        pytest.skip("on SQLite it is a file of its own")
    assert run("restore", "--replace", backup())[0] == 0
    assert run("backup", "--to", tmp_path / "more")[0] == 0
    with app.app_context():
        aside = db.session.scalar(text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'"))
        db.session.execute(text(f"DROP SCHEMA {aside} CASCADE"))
        db.session.commit()
    assert "ok diary" in run("doctor")[1]


@pytest.mark.both_engines
def test_an_extension_that_the_administrator_has_made_stays(app, run, backup, engine, settings, request):
    if engine != "postgresql":
        pytest.skip("SQLite has none")
    file = backup()
    destroy(app)
    request.getfixturevalue("postgresql").execute("CREATE EXTENSION btree_gist", database="of_a_test")
    status, said = run("restore", file)
    assert status == 0, said
    assert "ok diary" in run("doctor")[1]


def test_an_empty_database_is_filled_without_more_words(app, run, backup, book, settings):
    reference = book()
    file = backup()
    with app.app_context():
        if db.engine.dialect.name == "postgresql":
            destroy(app)
        else:
            db.session.remove()
            db.engine.dispose()
            (settings.data_dir / "portal.db").unlink()
    status, said = run("restore", file)
    assert status == 0, said
    assert references(app) == {reference}
    assert "kept:" not in said


def test_after_a_lost_disk_a_good_backup_is_called_whole(backup, settings, tmp_path):
    file = backup()
    empty = create_app(settings.model_copy(update={"data_dir": tmp_path / "new disk", "database_url": ""}))
    result = empty.test_cli_runner().invoke(args=["restore", "--check", str(file)])
    assert result.exit_code == 0, result.output
    assert f"It is whole: made {now():%Y-%m-%d %H:%M} UTC" in result.output


def test_an_older_backup_is_brought_up_to_this_portal(app, run, backup, book):
    reference = book()
    with app.app_context():
        downgrade(revision="0011")
        db.session.remove()
    file = backup()
    with app.app_context():
        upgrade()
    status, said = run("restore", "--replace", file)
    assert status == 0, said
    assert references(app) == {reference}
    assert "ok migrations" in run("doctor")[1]


@pytest.fixture(params=[CommandError("no such step"), KeyboardInterrupt()], ids=["it fails", "Ctrl-C"])
def interrupted(request, monkeypatch):
    """Migrating ends half way."""
    monkeypatch.setattr("flask_migrate.command.upgrade", Mock(side_effect=request.param))


@pytest.mark.both_engines
def test_what_was_there_is_back_when_migrating_ends_half_way(app, run, backup, book, interrupted):
    file = backup()
    later = book()
    assert run("restore", "--replace", file)[0] == 1
    assert references(app) == {later}


@pytest.mark.both_engines
def test_what_was_there_is_back_when_moving_to_postgresql_ends_half_way(
    app, run, book, engine, sqlite_template, tmp_path, interrupted
):
    if engine != "postgresql":
        pytest.skip("it moves to PostgreSQL")
    shutil.copyfile(sqlite_template, tmp_path / "portal.db")
    before = create_app(make_settings(tmp_path))
    assert before.test_cli_runner().invoke(args=["backup", "--to", str(tmp_path / "backups")]).exit_code == 0
    [file] = (tmp_path / "backups").iterdir()
    there = book()
    assert run("restore", "--replace", file)[0] == 1
    assert references(app) == {there}


@pytest.mark.both_engines
def test_a_clinic_moves_from_sqlite_to_postgresql(settings, engine, sqlite_template, tmp_path, clock):
    """By a backup made on the one and restored on the other."""
    if engine != "postgresql":
        pytest.skip("it moves to PostgreSQL")
    shutil.copyfile(sqlite_template, tmp_path / "portal.db")
    before = create_app(make_settings(tmp_path))
    person = Visitor(before)
    person.finish(red_flags_now="none")
    reference = person.book().reference
    status = before.test_cli_runner().invoke(args=["backup", "--to", str(tmp_path / "backups")]).exit_code
    assert status == 0
    [file] = (tmp_path / "backups").iterdir()
    with before.app_context():
        counts = count_all()
        db.engine.dispose()

    after = create_app(settings)
    result = after.test_cli_runner().invoke(args=["restore", "--replace", str(file)])
    assert result.exit_code == 0, result.output
    with after.app_context():
        changed = {"audit_entry", "operation_note"}  # the restore itself
        assert {name: count for name, count in count_all().items() if name not in changed} == {
            name: count for name, count in counts.items() if name not in changed
        }
        assert verify().torn is None
    assert references(after) == {reference}
    assert "ok diary" in after.test_cli_runner().invoke(args=["doctor"]).output
    another = Visitor(after)
    another.pass_safety()
    assert another.book(name="Joe Doe", email="joe@example.com").outcome == "booked"
    with after.app_context():
        db.engine.dispose()


def count_all():
    """How many rows each table has."""
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables
    }
