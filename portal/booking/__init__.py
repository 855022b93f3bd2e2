"""Hold a time, book it, manage the visit by its link."""

from datetime import timedelta

from flask import Flask

from portal.booking import mails, own_zone, request_views, views, visit_views, waitlist, waitlist_views
from portal.core import chores

MINUTE = timedelta(minutes=1)


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.register_blueprint(visit_views.blueprint)
    app.register_blueprint(request_views.blueprint)
    app.register_blueprint(waitlist_views.blueprint)
    app.jinja_env.globals["moment_there"] = own_zone.moment_there
    chores.register("tend the earlier-slot list", waitlist.tend, every=MINUTE)
    mails.init_app()
