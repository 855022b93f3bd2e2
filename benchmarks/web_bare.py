"""The least that Flask can do: what the portal's pages are measured against.

`create_app()` gives "hello", a page of 15 KB by Jinja, and the smallest booking that is still correct: one
conditional UPDATE, one INSERT, one commit to the disk. Nothing of the portal is in it.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
from flask import Flask, abort, redirect, render_template, request
from jinja2 import DictLoader
from werkzeug import Response

ROWS = 150
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title></head>
<body><h1>{{ title }}</h1><ul>
{% for row in rows %}<li id="row-{{ row.number }}"><strong>{{ row.name }}</strong> <span>{{ row.text }}</span></li>
{% endfor %}</ul></body></html>
"""
TEXT = "What stands here is as long as a line is."
TABLES = (
    "CREATE TABLE slot (id INTEGER PRIMARY KEY, state VARCHAR(10) NOT NULL)",
    "CREATE TABLE visit (id VARCHAR(36) PRIMARY KEY, slot_id INTEGER NOT NULL UNIQUE, name VARCHAR(80) NOT NULL)",
)

Connect = Callable[[], Any]


def create_app() -> Flask:
    app = Flask(__name__)
    app.jinja_loader = DictLoader({"page.html": PAGE})  # type: ignore[misc]
    rows = [{"number": number, "name": f"Row <{number}>", "text": TEXT} for number in range(ROWS)]

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/page")
    def page() -> str:
        return render_template("page.html", title="A page", rows=rows)

    if address := os.environ.get("BARE_DATABASE"):
        _add_booking(app, address)
    return app


def _add_booking(app: Flask, address: str) -> None:
    kept, mark = threading.local(), "%s" if address.startswith("postgresql") else "?"
    claim = f"UPDATE slot SET state = 'booked' WHERE id = {mark} AND state = 'free'"
    insert = f"INSERT INTO visit (id, slot_id, name) VALUES ({mark}, {mark}, {mark})"

    @app.post("/book")
    def book() -> Response:
        if not hasattr(kept, "connection"):
            kept.connection = connect(address)
        connection, slot_id = kept.connection, int(request.form["slot"])
        connection.execute("BEGIN IMMEDIATE" if mark == "?" else "BEGIN")
        if connection.execute(claim, (slot_id,)).rowcount != 1:
            connection.execute("ROLLBACK")
            abort(409)
        connection.execute(insert, (str(uuid4()), slot_id, request.form["name"]))
        connection.execute("COMMIT")
        return redirect("/hello", 303)


def connect(address: str) -> Any:
    """A connection in which a commit is on the disk when it returns."""
    if address.startswith("postgresql"):
        return psycopg.connect(address, autocommit=True)
    connection = sqlite3.connect(address, timeout=15, isolation_level=None)
    commit_to_the_disk(connection)
    return connection


def commit_to_the_disk(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def prepare(address: str, slots: int) -> None:
    """Tables, and so many free slots."""
    connection = connect(address)
    for table in TABLES:
        connection.execute(table)
    connection.execute("BEGIN")
    for begin in range(1, slots + 1, 500):
        values = ",".join(f"({number}, 'free')" for number in range(begin, min(begin + 500, slots + 1)))
        connection.execute(f"INSERT INTO slot (id, state) VALUES {values}")
    connection.execute("COMMIT")
    connection.close()
