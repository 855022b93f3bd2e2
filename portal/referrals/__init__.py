"""Referral links, and the journey of one visitor from a link to an attended visit."""

from flask import Flask

from portal.core import retention
from portal.referrals import cli, entry, reduction, views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.group)
    entry.init_app(app)
    retention.register(reduction.RULE)
