"""The staff's screens."""

from flask import Flask

from portal.frontdesk import views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
