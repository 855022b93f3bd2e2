"""What breaks around the portal, with real processes: what can be shown is, the rest says 503 with the phone number.

Nothing acknowledged is lost, and it heals without a restart.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url, text

from portal.core.db import LOCKS, PATIENCE, db
from tests import servers
from tests.conftest import build_template, make_settings, portal_by_the_real_clock, settings_environment, skip_or_fail
from tests.races.crowd import count_visits, find_free, look, prepare_people, send

PHONE = "tel:2125550100"
TO_READ = ["/", "/articles/", "/articles/when-a-headache-is-an-emergency", "/treatments/medicines", "/search?q=neck",
           "/privacy", "/display"]  # fmt: skip
NEED_THE_DIARY = ["/specialists/", "/r/leaflet", "/desk/sign-in"]
NOT_LONG = 8  # seconds; somewhat more than one, as machines that test are busy


@pytest.fixture
def engine() -> str:
    """Where SQLite and PostgreSQL differ, a test names the one it is about."""
    return "sqlite"


def serve(settings, workers=1, **environment):
    """Web processes that give up after one second."""
    environment = {**settings_environment(settings), **environment}
    return servers.web_server(environment, workers, app="tests.operations.impatient:app")


def assert_reading_goes_on(address):
    for path in TO_READ:
        begun = time.monotonic()
        answer = look(address, path, "")
        assert (answer.status, PHONE in answer.page) == (200, True), path
        assert time.monotonic() - begun < NOT_LONG, path


def assert_the_rest_says_so(address):
    for path in NEED_THE_DIARY:
        answer = look(address, path, "")
        assert (answer.outcome, PHONE in answer.page) == ("503 unavailable", True), path
        assert "/articles/when-a-headache-is-an-emergency" in answer.page


def book_until_it_works(address, person, slot_id):
    """As people do: try again; an outage may last a moment longer in some process."""
    for _ in range(40):
        answer = send(address, person.booking_of(slot_id))
        if answer.outcome != "503 unavailable":
            return answer.outcome
        time.sleep(0.25)
    return answer.outcome


@pytest.fixture
def own_postgresql(tmp_path) -> Iterator[tuple[servers.PostgresServer, object]]:
    """A database server to be broken, and the settings of a portal on it."""
    programs = servers.find_postgresql()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed")
    server = servers.PostgresServer(programs, durable=True)
    server.start()
    settings = make_settings(tmp_path, database_url=server.url(server.create_database()))
    build_template(settings)
    yield server, settings
    server.stop()


def test_the_database_crashes_and_comes_back(own_postgresql):
    server, settings = own_postgresql
    with portal_by_the_real_clock(settings) as app:
        before, during, after = prepare_people(app, 3)
        slots = find_free(3)
        db.session.remove()
        with serve(settings, workers=2) as address:
            assert look(address, "/", "").status == 200
            assert send(address, before.booking_of(slots[0])).outcome == "booked"
            server.crash()
            assert_reading_goes_on(address)
            assert_the_rest_says_so(address)
            assert look(address, "/readyz", "").status == 503
            assert send(address, during.booking_of(slots[1])).outcome == "503 unavailable"
            with serve(settings) as another:  # which starts now, and knows the phone number all the same
                assert_reading_goes_on(another)
            server.wake()
            assert book_until_it_works(address, after, slots[2]) == "booked"
            assert send(address, before.booking_of(slots[0])).outcome == "booked"  # the same visit: it was not lost
            assert look(address, "/readyz", "").status == 200
            assert look(address, "/specialists/", "").status == 200
        db.engine.dispose()
        assert count_visits() == 2


@pytest.mark.proof
def test_a_database_that_can_only_be_read_shows_the_diary_and_books_nothing(own_postgresql):
    server, settings = own_postgresql
    with portal_by_the_real_clock(settings) as app:
        first, second = prepare_people(app, 2)
        slots = find_free(2)
        db.session.remove()
        db.engine.dispose()
        with serve(settings) as address:
            assert look(address, "/", "").status == 200
            set_read_only(server, "on")
            assert send(address, first.booking_of(slots[0])).outcome == "503 unavailable"
            assert look(address, "/specialists/", "").status == 200
            assert_reading_goes_on(address)
            set_read_only(server, "off")
            assert book_until_it_works(address, second, slots[1]) == "booked"


def set_read_only(server, value):
    server.execute(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    server.execute("SELECT pg_reload_conf()")
    server.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
                   "AND backend_type = 'client backend'")  # fmt: skip


@contextmanager
def locked(settings) -> Iterator[None]:
    """Somebody keeps the slots locked, such as a change of tables that takes long."""
    if settings.database.startswith("sqlite"):
        import sqlite3

        with sqlite3.connect(settings.data_dir / "portal.db", isolation_level=None) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
        other.close()
        return
    address = make_url(settings.database).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(address) as other:
        other.execute("LOCK TABLE slot IN ACCESS EXCLUSIVE MODE")
        yield
        other.rollback()


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
@pytest.mark.both_engines
def test_a_locked_diary_is_given_up_in_seconds_and_requests_do_not_pile_up(settings):
    with portal_by_the_real_clock(settings) as app:
        people, slots = prepare_people(app, 9), find_free(9)
        db.session.remove()
        with serve(settings, workers=2) as address:
            assert look(address, "/", "").status == 200
            with locked(settings):
                begun = time.monotonic()
                with ThreadPoolExecutor(8) as clients:
                    answers = list(clients.map(lambda n: send(address, people[n].booking_of(slots[n])), range(8)))
                assert {answer.outcome for answer in answers} == {"503 unavailable"}
                assert time.monotonic() - begun < NOT_LONG
                assert_reading_goes_on(address)
            assert book_until_it_works(address, people[8], slots[8]) == "booked"
        assert count_visits() == 1


def test_a_full_disk_loses_nothing_and_is_over_as_soon_as_there_is_room(settings, tmp_path):
    with portal_by_the_real_clock(settings) as app:
        people, slots = prepare_people(app, 30), find_free(30)
        db.session.remove()
        living = {"PORTAL_TEST_LIVING": str(tmp_path), "GUNICORN_CMD_ARGS": "--config tests/races/living.py"}
        with serve(settings, **living) as address:
            assert send(address, people[0].booking_of(slots[0])).outcome == "booked"
            [process] = [int(file.name) for file in tmp_path.iterdir() if file.name.isdigit()]
            log = Path(f"{settings.data_dir}/portal.db-wal")
            resource.prlimit(process, resource.RLIMIT_FSIZE, (log.stat().st_size + 20_000, resource.RLIM_INFINITY))
            booked = 1
            outcomes = []
            for person, slot_id in zip(people[1:29], slots[1:29], strict=True):
                outcomes.append(send(address, person.booking_of(slot_id)).outcome)
                booked += outcomes[-1] == "booked"
            assert "503 unavailable" in outcomes
            assert_reading_goes_on(address)
            resource.prlimit(process, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            assert book_until_it_works(address, people[29], slots[29]) == "booked"
        assert count_visits() == booked + 1
        assert db.session.scalar(text("PRAGMA integrity_check")) == "ok"


@pytest.mark.proof
def test_a_volume_that_comes_up_read_only_and_is_mended(settings, mount):
    folder = mount("30m")
    shutil.copyfile(settings.data_dir / "portal.db", folder / "portal.db")
    settings = make_settings(folder)
    with portal_by_the_real_clock(settings) as app:
        [person], [slot_id] = prepare_people(app, 1), find_free(1)
        assert app.test_client().get("/").status_code == 200  # the phone number is known from then on
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    with serve(settings) as address:
        assert_reading_goes_on(address)
        assert send(address, person.booking_of(slot_id)).outcome == "503 unavailable"
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        assert book_until_it_works(address, person, slot_id) == "booked"


def test_nobody_waits_long_for_a_lock(app_context, engine):
    assert PATIENCE <= 5
    if engine == "sqlite":
        assert db.session.scalar(text("PRAGMA busy_timeout")) == PATIENCE * 1000
    assert f"lock_timeout={PATIENCE}s" in LOCKS
