"""A backup that cannot be made or used says why, and leaves everything as it was."""

import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest
from sqlalchemy import text

from portal import create_app
from portal.core.db import db
from tests.conftest import settings_environment


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def refused(run, app):
    """Try to restore from a file: what is said, when nothing has changed by it."""

    def refuse(file):
        before = (app.config["PORTAL"].data_dir / "portal.db").read_bytes()
        status, said = run("restore", "--replace", file)
        assert status == 1
        assert "Traceback" not in said
        assert (app.config["PORTAL"].data_dir / "portal.db").read_bytes() == before
        assert not list(app.config["PORTAL"].data_dir.glob(".copy-*"))
        return said

    return refuse


def test_a_damaged_backup(backup, refused):
    file = backup()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    assert "damaged or not complete" in refused(file)


def test_a_backup_that_was_not_copied_to_its_end(backup, refused):
    file = backup()
    file.write_bytes(file.read_bytes()[:-1000])
    assert "damaged or not complete" in refused(file)


def test_another_file_and_none(tmp_path, refused):
    (tmp_path / "letter.txt").write_text("Dear patient")
    assert "no backup of the portal" in refused(tmp_path / "letter.txt")
    assert "No such file" in refused(tmp_path / "nowhere.backup")


def test_a_backup_of_a_newer_portal(app, run, backup, refused):
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.commit()
    file = backup()
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0016'"))
        db.session.commit()
    assert "a newer portal made it (its tables are at 9999)" in refused(file)


def test_a_backup_that_was_made_with_another_key(app, run, backup, refused):
    file = backup()
    own = app.config["PORTAL"]
    app.config["PORTAL"] = own.model_copy(update={"backup_key": ("another-key-of-more-than-32-characters",)})
    assert "another key: put that one into PORTAL_BACKUP_KEY" in refused(file)
    app.config["PORTAL"] = own.model_copy(update={"backup_key": ("x" * 40, *own.encryption_keys)})
    assert run("restore", "--check", file)[0] == 0


def test_a_backup_whose_health_data_no_key_opens(app, run, backup, visitor):
    visitor.finish(red_flags_now="none")
    file = backup()
    leave(app)
    own = app.config["PORTAL"]
    keys = {"backup_key": own.encryption_keys, "encryption_keys": ("n" * 40,)}
    with create_app(own.model_copy(update=keys)).app_context() as context:
        result = context.app.test_cli_runner().invoke(args=["restore", "--replace", str(file)])
    assert result.exit_code == 1
    assert "cannot be read with PORTAL_ENCRYPTION_KEYS" in result.output
    assert run("doctor")[0] == 0  # what was there before is back


def test_a_portal_that_is_still_running(app, run, backup, settings):
    file = backup()
    with sqlite3.connect(settings.data_dir / "portal.db") as other:
        other.execute("SELECT count(*) FROM clinic").fetchone()
        status, said = run("restore", "--replace", file)
    other.close()
    assert status == 1
    assert "stop web and worker first" in said


def test_a_disk_without_room_leaves_no_half_backup_and_keeps_the_old_ones(app, backup, tmp_path):
    kept = backup("--keep", "1")
    leave(app)
    environment = settings_environment(app.config["PORTAL"])
    limit = f"ulimit -f {kept.stat().st_size // 1024 // 2}"
    status, said = limited(limit, environment, "backup", "--to", kept.parent, "--keep", "1")
    assert status == 1
    assert "No backup was made" in said
    assert list(kept.parent.iterdir()) == [kept]


def leave(app):
    """Close this process's connections."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def limited(limit, environment, *words):
    """Run a command where no file may be larger."""
    command = f'{limit}; trap "" XFSZ; exec {sys.executable} -m flask --app portal {" ".join(map(str, words))}'
    result = subprocess.run(["bash", "-c", command], env={**os.environ, **environment}, capture_output=True, text=True)
    return result.returncode, result.stderr


def test_only_the_newest_are_kept(backup, clock):
    for _ in range(4):
        clock.shift(3600)
        newest = backup("--keep", "2")
    assert sorted(newest.parent.glob("*"))[-1] == newest
    assert len(list(newest.parent.glob("*"))) == 2


def test_only_this_account_may_read_it_and_it_holds_no_word_in_clear(backup, book):
    book()
    file = backup()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"jane" not in file.read_bytes()
    assert b"SQLite" not in file.read_bytes()


def test_a_backup_is_of_one_moment_while_others_write(app, backup, run, settings):
    over = threading.Event()

    def write():
        with sqlite3.connect(settings.data_dir / "portal.db", isolation_level=None, timeout=20) as database:
            database.execute("PRAGMA journal_mode=WAL")
            number = 0
            while not over.is_set():
                number += 1
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT INTO operation_note VALUES (?, '2026-01-01', '{}')", (f"one {number}",))
                database.execute("INSERT INTO operation_note VALUES (?, '2026-01-01', '{}')", (f"two {number}",))
                database.execute("COMMIT")
                time.sleep(0.001)  # nobody else would have a turn
        database.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        file = backup()
    finally:
        over.set()
        writer.join()
    assert run("restore", "--replace", file)[0] == 0
    with app.app_context():
        count = db.session.scalar(
            text("SELECT count(*) FROM operation_note WHERE name LIKE 'one%' OR name LIKE 'two%'")
        )
    assert count % 2 == 0
