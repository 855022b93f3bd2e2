"""While the database is away: nobody waits for it twice in a row, and pages to read go on without it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from flask import Flask, current_app, g
from sqlalchemy.exc import SQLAlchemyError

from portal.core.db import db

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

PAUSE = 3.0  # seconds in which what can do without the database does not ask it again


def init_app(app: Flask) -> None:
    app.extensions["portal.away_until"] = 0.0


def note_outage() -> None:
    """The database has just failed to answer."""
    current_app.extensions["portal.away_until"] = time.monotonic() + PAUSE
    db.session.rollback()


def or_without(ask: Callable[[], Result], otherwise: Result) -> Result:
    """What the question gives, or the other value while the database is away."""
    if time.monotonic() >= current_app.extensions["portal.away_until"]:
        try:
            return ask()
        except SQLAlchemyError:
            current_app.logger.exception("done without the database")
            note_outage()
    g.without_database = True  # so that nobody keeps what is made of it
    return otherwise


def spared(ask: Callable[Parameters, Result], otherwise: Result) -> Callable[Parameters, Result]:
    """That function, for pages that are worth showing without its answer."""
    return lambda *args, **kwargs: or_without(lambda: ask(*args, **kwargs), otherwise)
