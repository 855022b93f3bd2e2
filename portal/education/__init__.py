"""Articles and treatments: what people come to read."""

from flask import Flask, Response

from portal.education import cli, views
from portal.education.loading import ContentError, read_drawing
from portal.education.shelf import Shelf, get_library
from portal.education.structured import describe_page
from portal.referrals.pages import OwnPage, offer_pages


def init_app(app: Flask) -> None:
    """Read and check the whole library. Raises ContentError for a file that cannot be shown."""
    app.extensions["portal.shelf"] = Shelf()
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.group)
    app.jinja_env.globals.update(describe_page=describe_page, drawing=read_drawing)
    app.register_error_handler(ContentError, _show_mistake)
    offer_pages("education", _list_pages)


def _show_mistake(error: ContentError) -> Response:
    """To a writer, in development; a running clinic has read its files at start."""
    return Response(error.message, 500, mimetype="text/plain")


def _list_pages() -> list[OwnPage]:
    """Every page has a short address of its own: its slug."""
    shelves = [OwnPage("/articles/", "All articles"), OwnPage("/treatments/", "All treatments")]
    return shelves + [OwnPage(page.path, page.about.title, page.slug) for page in get_library().pages]
