"""Articles and treatments: what people come to read."""

from flask import Flask

from portal.education import views
from portal.education.library import load_library


def init_app(app: Flask) -> None:
    """Read and check the whole library. Raises ContentError for a file that cannot be shown."""
    app.extensions["portal.library"] = load_library()
    app.register_blueprint(views.blueprint)
