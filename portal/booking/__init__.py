"""Hold a time, book it, manage the visit by its link."""

from flask import Flask

from portal.booking import mails, request_views, views, visit_views


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.register_blueprint(visit_views.blueprint)
    app.register_blueprint(request_views.blueprint)
    mails.init_app()
