"""One answer as the portal's libraries give it, with nothing of the portal: how near to bare Flask it can come.

`create_app()` keeps a journey's answers enciphered in the database and its id in the signed cookie, checks the token of
the form, and redirects to the next page, which is ready but for its token. No rules, no limits, no log, no headers.
"""

from __future__ import annotations

import json
import os
import sqlite3
from uuid import uuid4

from cryptography.fernet import Fernet
from flask import Flask, abort, redirect, session
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.pool import ConnectionPoolEntry
from werkzeug import Response
from wtforms import RadioField
from wtforms.validators import InputRequired

from benchmarks.web_bare import commit_to_the_disk

SECRET = "for-measuring-only-" * 2
PAGE = '<!doctype html><form method="post"><input name="csrf_token" value="{token}"></form>' + "." * 15_000
SCREENS = 14

db = SQLAlchemy()
cipher = Fernet(Fernet.generate_key())


class Journey(db.Model):  # type: ignore[misc, name-defined]
    id: Mapped[str] = mapped_column(primary_key=True)
    answers: Mapped[bytes]


class AnswerForm(FlaskForm):
    answer = RadioField(
        choices=[(str(number), f"Answer {number}") for number in range(5)], validators=[InputRequired()]
    )


def create_app() -> Flask:
    app = Flask(__name__)
    app.config.update(SECRET_KEY=SECRET, SQLALCHEMY_DATABASE_URI=os.environ["BARE_DATABASE"])
    CSRFProtect(app)
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_up)
        db.create_all()
        db.engine.dispose()

    @app.get("/hello")
    def hello() -> str:
        return "hello"

    @app.get("/begin")
    def begin() -> Response:
        session["journey"] = str(uuid4())
        db.session.add(Journey(id=session["journey"], answers=cipher.encrypt(b"{}")))
        db.session.commit()
        return redirect("/screen/0", 303)

    @app.get("/screen/<int:number>")
    def show(number: int) -> str:
        _read(_get_journey())
        return PAGE.format(token=generate_csrf())

    @app.post("/screen/<int:number>")
    def answer(number: int) -> Response:
        form = AnswerForm()
        if not form.validate():
            abort(422)
        journey = _get_journey()
        journey.answers = cipher.encrypt(json.dumps({**_read(journey), str(number): form.answer.data}).encode())
        db.session.commit()
        return redirect(f"/screen/{(number + 1) % SCREENS}", 303)

    return app


def _set_up(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    commit_to_the_disk(connection)


def _get_journey() -> Journey:
    return db.get_or_404(Journey, session.get("journey"))


def _read(journey: Journey) -> dict[str, str]:
    answers: dict[str, str] = json.loads(cipher.decrypt(journey.answers))
    return answers
