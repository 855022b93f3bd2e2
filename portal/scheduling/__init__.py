"""The clinic's set-up, and the slots of its diary."""

from flask import Flask

from portal.scheduling import cli, contact, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.clinic_group)
    app.cli.add_command(cli.slots_group)
    contact.init_app(app)
