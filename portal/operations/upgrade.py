"""`flask db upgrade`, for which tables newer than this code are no error: after a way back it goes on with them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from portal.core.db import db
from portal.operations.health import get_revision, is_newer


def init_app(app: Flask) -> None:
    migrations = app.cli.commands.get("db")  # only in a command: no web process has to carry Alembic
    if isinstance(migrations, click.Group):
        from flask_migrate.cli import upgrade  # type: ignore[import-not-found]

        callback = with_appcontext(unless_newer(upgrade.callback))
        migrations.add_command(click.Command("upgrade", params=upgrade.params, help=upgrade.help, callback=callback))


def unless_newer(bring_up: Callable[..., None]) -> Callable[..., None]:
    """The same, but where the tables are newer than this code that is said, and all is left as it is."""

    @wraps(bring_up)
    def wrapper(**options: Any) -> None:
        with db.engine.connect() as connection:
            revision = get_revision(connection)
        if is_newer(revision):
            click.echo(f"The tables are at {revision}, newer than this code, which goes on with them.")
        else:
            bring_up(**options)

    return wrapper
