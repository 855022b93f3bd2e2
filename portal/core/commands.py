"""`flask …`: where tables are missing or the database is away, each command says so, not by a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError, OperationalError

from portal.core.db import words_of_driver

UNDEFINED_TABLE, UNDEFINED_COLUMN = "42P01", "42703"  # as PostgreSQL calls them


class Commands(AppGroup):
    """All of them: whichever is run, this explanation is around it."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        context.with_resource(_explaining_the_database())
        return super().get_command(context, name)


def init_app(app: Flask) -> None:
    app.cli = Commands(app.name)


@contextmanager
def _explaining_the_database() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        if _is_of_older_tables(error):
            words = "The database does not have this portal's tables: run `flask db upgrade`."
        elif isinstance(error, OperationalError):
            words = f"The database does not answer: {words_of_driver(error)}"
        else:
            raise
        raise click.ClickException(words) from None


def _is_of_older_tables(error: DBAPIError) -> bool:
    if state := getattr(error.orig, "sqlstate", None):
        return state in {UNDEFINED_TABLE, UNDEFINED_COLUMN}
    return str(error.orig).startswith(("no such table", "no such column"))
