"""The staff's screens."""

from flask import Flask

from portal.frontdesk import diary_views, views
from portal.frontdesk.forms import rule_in_words


def init_app(app: Flask) -> None:
    app.jinja_env.filters["rhythm"] = rule_in_words
    app.register_blueprint(views.blueprint)
    app.register_blueprint(diary_views.blueprint)
