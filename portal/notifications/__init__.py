"""The outbox: every mail is a row first, and never lost."""

from flask import Flask

from portal.config import Settings
from portal.notifications import cli, views


def init_app(app: Flask) -> None:
    settings: Settings = app.config["PORTAL"]
    app.cli.add_command(cli.group)
    if not settings.production:
        app.register_blueprint(views.blueprint)
