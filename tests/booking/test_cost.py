"""What the page of free times and a booking ask of the database does not grow with what is stored."""

from collections import Counter
from contextlib import contextmanager

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from benchmarks.stored import note_queries, store_past_visits
from portal.core.db import transactional
from portal.scheduling.queries import list_providers
from tests.performance.test_budget import without_hits
from tests.visitor import Visitor

MORE = 1.2  # times: an index that has grown is a little deeper
FEW_STEPS = 300


@pytest.fixture
def ask(app):
    """What somebody new makes the portal ask: for the free times, and from there to a confirmed visit."""
    with app.app_context():
        limit_days()

    def ask(number=1):
        person = Visitor(app)
        person.pass_safety()
        with note_queries() as for_page:
            person.open("/book/")
        with note_queries() as for_booking:
            page = person.book(name=f"Patient Number {number}")
        assert page.outcome == "booked"
        return for_page, for_booking

    return ask


@transactional
def limit_days():
    for provider in list_providers():
        provider.daily_cap = 20


def store(app, visits):
    with app.app_context():
        store_past_visits(visits)


def test_a_page_and_a_booking_take_as_many_queries_with_a_thousand_visits_stored_as_with_ten(app, ask):
    store(app, 10)
    with_ten = [without_hits(queries) for queries in ask(1)]
    store(app, 990)
    assert [without_hits(queries) for queries in ask(2)] == with_ten


# SQLite counts the steps of its work, so that noise cannot change the result.
@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_no_query_of_a_page_or_a_booking_has_more_to_do_with_a_thousand_visits_stored_than_with_ten(app, ask):
    store(app, 10)
    with count_steps() as with_ten:
        ask(1)
    store(app, 990)
    with count_steps() as with_thousand:
        ask(2)
    longer = {
        query: f"{steps} steps, not {with_ten[query]}"
        for query, steps in with_thousand.items()
        if steps > MORE * with_ten[query] + FEW_STEPS
    }
    assert longer == {}


@contextmanager
def count_steps():
    """The steps of each query meanwhile."""
    steps = Counter()

    def note(_connection, cursor, query, *_more):
        cursor.connection.set_progress_handler(lambda: steps.update({query: 10}), 10)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield steps
    finally:
        event.remove(Engine, "before_cursor_execute", note)
