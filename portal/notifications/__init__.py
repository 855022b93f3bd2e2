"""The outbox: every mail is a row first, and never lost."""

from flask import Flask

from portal.config import Settings
from portal.core.retention import register
from portal.notifications import cli, retention, views


def init_app(app: Flask) -> None:
    settings: Settings = app.config["PORTAL"]
    app.cli.add_command(cli.group)
    register(retention.RULE)
    if not settings.production:
        app.register_blueprint(views.blueprint)
