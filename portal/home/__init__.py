"""The front door, and the few pages that belong to no feature."""

from flask import Flask

from portal.home import views
from portal.referrals.pages import OwnPage, offer_pages


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    offer_pages("home", lambda: [OwnPage("/", "Home page")])
