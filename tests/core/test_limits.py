"""Counting how often something is done: right with several processes, after a restart, and never skipped."""

from datetime import timedelta

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import DBAPIError

from portal.core import clock as clock_module
from portal.core.db import db, transactional
from portal.core.limits import (
    HitCount,
    Limit,
    count_hit,
    count_hits,
    peek,
    source_key,
    sweep,
    take_back,
)
from tests import copies
from tests.core.hitting import hit

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]

THREE = Limit("three", 3, timedelta(minutes=10))
FIVE = Limit("five", 5, timedelta(hours=1))


def test_three_are_allowed_and_the_fourth_is_told_when_to_come_back(clock):
    assert [count_hit(THREE, "a").allowed for _ in range(3)] == [True, True, True]
    clock.shift(timedelta(minutes=4))
    refused = count_hit(THREE, "a")
    assert (refused.allowed, refused.retry_after, refused.limit) == (False, 360, THREE)
    assert count_hit(THREE, "b").allowed
    assert count_hit(Limit("another", 3, timedelta(minutes=10)), "a").allowed


def test_where_one_address_stands_for_a_town_more_may_be_done_and_no_more_guessed(town):
    assert THREE.most == 3000
    assert Limit("codes", 3, timedelta(minutes=10), guess=True).most == 3


def test_whoever_comes_back_when_told_begins_anew_however_often_they_were_refused(clock):
    for _ in range(9):
        wait = count_hit(THREE, "a").retry_after
    clock.shift(timedelta(seconds=wait - 1))
    assert not count_hit(THREE, "a").allowed
    clock.shift(timedelta(seconds=1))
    assert [count_hit(THREE, "a").allowed for _ in range(4)] == [True, True, True, False]


def test_of_several_limits_either_all_are_counted_or_none():
    for _ in range(3):
        assert count_hits((FIVE, "source"), (THREE, "target")).allowed
    assert count_hits((FIVE, "source"), (THREE, "target")).limit == THREE
    assert [count_hit(FIVE, "source").allowed for _ in range(3)] == [True, True, False]


def test_of_a_flood_few_hits_are_written_and_it_is_stopped_all_the_same():
    flood, written = Limit("flood", 1000, timedelta(hours=1), step=50), []

    @event.listens_for(db.engine, "commit")
    def note(connection):
        written.append(connection)

    hits = next(number for number in range(100_000) if not count_hit(flood, "a").allowed)
    assert len(written) == 20
    assert hits > 200  # 1,000 as a rule, as they are drawn at random
    assert not count_hit(flood, "a").allowed
    assert count_hit(flood, "b").allowed


def test_looking_counts_nothing():
    for _ in range(5):
        assert peek((THREE, "a")).allowed
    assert db.session.scalar(select(func.count()).select_from(HitCount)) == 0


def test_a_good_try_gives_back_itself_and_no_bad_one():
    for number in range(2):
        assert count_hit(THREE, "spray").allowed, number
        assert count_hit(THREE, "spray").allowed
        take_back(THREE, "spray")
    assert count_hit(THREE, "spray").allowed
    assert not count_hit(THREE, "spray").allowed


def test_processes_at_once_share_one_count(settings):
    together, results = copies.context.Barrier(4), copies.context.SimpleQueue()
    processes = [copies.context.Process(target=hit, args=(settings, together, results)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sum(results.get() for _ in processes) == 20


def test_the_count_stays_when_the_request_undoes_what_it_did():
    db.session.add(HitCount(key="half done", count=1, ends_at=clock_module.now()))
    assert count_hit(THREE, "a").allowed
    db.session.rollback()
    assert db.session.scalars(select(HitCount.count)).all() == [1]


def test_counting_inside_a_transaction_is_a_fault_of_ours_and_found():
    with pytest.raises(RuntimeError, match="never inside one"):
        transactional(lambda: count_hit(THREE, "a"))()


def test_without_its_table_nothing_is_allowed():
    with db.engine.begin() as connection:
        HitCount.__table__.drop(connection)
    with pytest.raises(DBAPIError):
        count_hit(THREE, "a")
    with pytest.raises(DBAPIError):
        peek((THREE, "a"))


def test_nothing_of_the_key_can_be_read_from_the_table():
    count_hit(THREE, "203.0.113.7")
    assert "203.0.113.7" not in db.session.scalar(select(HitCount.key))


def test_what_is_over_is_swept_and_what_is_not_stays(clock):
    count_hit(THREE, "a")
    count_hit(FIVE, "a")
    clock.shift(timedelta(minutes=10))
    assert sweep() == 1
    assert sweep() == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        (None, "not an address", True),
    ],
)
def test_a_source_is_an_address_or_a_network_of_its_own(one, other, same):
    assert (source_key(one) == source_key(other)) is same
