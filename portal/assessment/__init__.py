"""The headache assessment: questions and rules as data, one page a screen, a lane at the end."""

from flask import Flask

from portal.assessment import views
from portal.assessment.cli import assess


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.cli.add_command(assess)
