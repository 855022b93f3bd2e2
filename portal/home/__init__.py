"""The front door, and the few pages that belong to no feature."""

from datetime import timedelta

from flask import Flask

from portal.core import chores
from portal.core.outage import spared
from portal.core.retention import list_rules
from portal.home import purging, retention_cli, views
from portal.referrals.pages import OwnPage, offer_pages


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.cli.add_command(retention_cli.group)
    app.jinja_env.globals["list_retention_rules"] = spared(list_rules, [])
    chores.register("purge what is over", purging.purge, every=timedelta(days=1))
    offer_pages("home", lambda: [OwnPage("/", "Home page")])
