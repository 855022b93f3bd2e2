"""One way to open a transaction: all of it happens or none, and a function called within joins."""

import sqlite3
from threading import Timer

import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import OperationalError

from portal.core.db import begin_to_write, db, insert_once, look_ahead, store, transactional, transactional_for_now
from portal.core.own_connection import own_connection, writing
from portal.referrals.links import save_link
from portal.referrals.models import Journey, ReferralLink
from portal.referrals.services import start_journey

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]

NORMAL, FULL = 1, 2  # whether SQLite waits for the disk


def count(model):
    return db.session.scalar(select(func.count()).select_from(model))


def test_a_failure_undoes_what_inner_functions_did():
    @transactional
    def outer():
        start_journey()
        start_journey()
        raise RuntimeError("after both")

    with pytest.raises(RuntimeError, match="after both"):
        outer()
    assert count(Journey) == 0


def test_what_only_looks_ahead_does_not_join_what_would_keep_it():
    with pytest.raises(RuntimeError, match="inside a transaction"):
        transactional(look_ahead)(start_journey)
    look_ahead(start_journey)
    assert count(Journey) == 0


def test_a_row_that_stands_already_is_not_inserted_again():
    save_link("x", "label", "print", "/")

    @transactional
    def insert():
        return insert_once(ReferralLink, code="x", label="other", kind="print", destination="/", active=True)

    assert insert() is False
    assert db.session.get(ReferralLink, "x").label == "label"


def test_a_new_object_is_stored_at_once_and_known_from_then_on():
    link = ReferralLink(code="x", label="label", kind="print", destination="/")

    @transactional
    def store_twice():
        store(link)
        store(link)
        link.label = "changed"

    store_twice()
    assert db.session.get(ReferralLink, "x") is link
    db.session.expire_all()
    assert (link.label, link.active) == ("changed", True)


def test_a_change_outside_a_transaction_is_a_fault_of_ours_and_found():
    db.session.add(ReferralLink(code="y", label="y", kind="print", destination="/"))
    with pytest.raises(RuntimeError, match="outside a transactional function"):
        start_journey()


def test_a_time_without_a_zone_cannot_be_stored():
    from datetime import datetime

    from sqlalchemy.exc import StatementError

    db.session.add(Journey(started_at=datetime(2026, 1, 1)))
    with pytest.raises(StatementError, match="without a zone"):
        db.session.flush()


@transactional
def last():
    return db.session.scalar(text("PRAGMA synchronous"))


@transactional_for_now
def pass_by():
    return db.session.scalar(text("PRAGMA synchronous"))


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_need_not_last_does_not_wait_for_the_disk_and_what_must_does():
    assert [pass_by(), last(), pass_by(), last()] == [NORMAL, FULL, NORMAL, FULL]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_on_postgresql_what_need_not_last_does_not_wait_either():
    waits = text("SELECT setting = 'off' AND source = 'session' FROM pg_settings WHERE name = 'synchronous_commit'")
    assert transactional_for_now(db.session.scalar)(waits) is True
    assert transactional(db.session.scalar)(waits) is False


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_who_only_reads_opens_no_transaction_on_postgresql():
    def is_open():
        db.session.scalar(text("SELECT 1"))
        return db.session.connection().connection.driver_connection.info.transaction_status != TransactionStatus.IDLE

    assert [is_open(), transactional(is_open)(), is_open()] == [False, True, False]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_who_begins_over_a_connection_that_was_ended_is_told_and_may_begin_again():
    with own_connection() as connection:
        pid = connection.connection.driver_connection.info.backend_pid
        db.session.execute(text(f"SELECT pg_terminate_backend({pid}, 1000)"))
        with pytest.raises(OperationalError), writing(connection, lasting=True):
            pass
        with writing(connection, lasting=True):
            assert connection.scalar(text("SELECT 1")) == 1


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_must_last_cannot_be_done_by_what_need_not():
    with pytest.raises(RuntimeError, match="must last"):
        transactional_for_now(last)()
    assert transactional(pass_by)() == FULL


@pytest.fixture
def somebody_else(settings):
    """Who can write beside us, such as another process."""
    other = sqlite3.connect(settings.database.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    yield other
    other.close()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_whoever_waits_for_long_to_write_is_told(somebody_else, monkeypatch):
    monkeypatch.setattr("portal.core.db.PATIENCE", 0.1)
    somebody_else.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperationalError, match="database is locked"):
        start_journey()
    somebody_else.execute("ROLLBACK")
    start_journey()


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_whoever_waits_to_write_does_so_when_the_other_has_done(somebody_else):
    somebody_else.execute("BEGIN IMMEDIATE")
    timer = Timer(0.2, somebody_else.execute, ("ROLLBACK",))
    timer.start()
    start_journey()
    timer.join()


class Recovering(sqlite3.Connection):
    """A database whose log is being recovered by another process when it is first written to."""

    asked = 0

    def execute(self, words, *arguments):
        if words == "BEGIN IMMEDIATE":
            self.asked += 1
            if self.asked == 1:
                busy = sqlite3.OperationalError("database is locked")
                busy.sqlite_errorcode = sqlite3.SQLITE_BUSY_RECOVERY
                raise busy
        return super().execute(words, *arguments)


def test_whoever_comes_while_the_log_is_recovered_waits():
    connection = sqlite3.connect(":memory:", isolation_level=None, factory=Recovering)
    begin_to_write(connection)
    assert (connection.asked, connection.in_transaction) == (2, True)


@pytest.fixture
def commits(app_context):
    """How far each transaction went when it was over."""
    found = []

    @event.listens_for(db.engine, "commit")
    def note(connection):
        found.append(connection.connection.driver_connection.execute("PRAGMA synchronous").fetchone()[0])

    return found


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_answer_that_takes_the_place_of_another_is_on_the_disk_when_the_next_page_says_so(visitor, commits):
    """Who loses a first answer is asked again; who loses a warning sign would go on with the "none" before it."""
    visitor.open("/assessment/")
    visitor.send()
    commits.clear()
    visitor.send(red_flags_now="none", next="1")
    visitor.open("/assessment/red_flags_now")
    visitor.send(red_flags_now="neuro", next="1")
    assert visitor.page.path == "/assessment/danger"
    assert commits == [NORMAL, FULL]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_finished_assessment_is_on_the_disk_when_its_result_is_shown(visitor, commits):
    visitor.answer()
    commits.clear()
    visitor.send()
    assert visitor.page.path == "/assessment/result"
    assert commits == [FULL]
