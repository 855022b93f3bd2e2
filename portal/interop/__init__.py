"""What the portal knows, in the formats that other systems read."""

from flask import Flask

from portal.interop import views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
