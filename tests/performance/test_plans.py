"""No query of a page looks through a whole table that grows: each has its index, on both databases."""

import re

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from portal.core.db import db

pytestmark = pytest.mark.both_engines

GROW = ("appointment", "assessment", "audit_entry", "journey", "milestone", "outgoing_mail", "patient", "slot")
# The last entry of the trail is found by walking the key backwards by one step.
LAST_ENTRY = re.compile(r"FROM audit_entry ORDER BY audit_entry\.id DESC\s+LIMIT")
DESK = ("/desk/day/2026-11-20", "/desk/week/2026-11-20", "/desk/month/2026-11", "/desk/find?q=doe", "/desk/requests")


@pytest.fixture
def asked(app):
    """The queries sent meanwhile, with their values."""
    sent = {}

    def note(_connection, _cursor, statement, parameters, _context, many):
        if statement.lstrip().startswith(("SELECT", "UPDATE", "DELETE")) and not many:
            sent[statement] = parameters

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)


def test_the_way_from_an_article_to_a_booked_visit(app, visitor, asked):
    visitor.open("/articles/migraine")
    visitor.finish()
    visitor.book()
    assert visitor.page.outcome == "booked"
    assert scans(app, asked) == []


@pytest.mark.parametrize("path", DESK)
def test_the_desk(app, desk, asked, path):
    asked.clear()
    assert desk.open(path).status == 200
    assert scans(app, asked) == []


def scans(app, asked):
    """The queries that look through a table that grows, with that table."""
    with app.app_context(), db.engine.connect() as connection:
        explain = explain_sqlite if db.engine.dialect.name == "sqlite" else explain_postgresql
        cursor = connection.connection.cursor()
        return [
            (table, statement)
            for statement, parameters in asked.items()
            for table in explain(cursor, statement, parameters)
            if table in GROW and not LAST_ENTRY.search(statement)
        ]


def explain_sqlite(cursor, statement, parameters):
    cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
    steps = [row[3] for row in cursor.fetchall()]
    # Where the plan calls a table by another name, that name is the table's with a number.
    return [re.sub(r"_\d+$", "", found[1]) for step in steps if (found := re.match(r"SCAN (\w+)$", step))]


def explain_postgresql(cursor, statement, parameters):
    cursor.execute("SET enable_seqscan = off")  # else a table of a few rows is always looked through
    cursor.execute(f"EXPLAIN {statement}", parameters)
    return re.findall(r"Seq Scan on (\w+)", "\n".join(row[0] for row in cursor.fetchall()))
