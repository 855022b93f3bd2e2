"""`/articles/` and `/treatments/`: pages to read, the same for everybody."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app

from portal.core.headers import may_be_kept
from portal.core.htmx import render
from portal.education.library import Library

blueprint = Blueprint("education", __name__)


@blueprint.get("/articles/")
def list_articles() -> Response:
    return may_be_kept(render("education/articles.html", articles=_library().articles.values()))


@blueprint.get("/articles/<slug>")
def show_article(slug: str) -> Response:
    article = _library().articles.get(slug) or abort(404)
    others = [other for other in _library().articles.values() if other is not article]
    return may_be_kept(render("education/article.html", article=article, others=others))


@blueprint.get("/treatments/")
def list_treatments() -> Response:
    return may_be_kept(render("education/treatments.html"))


def _library() -> Library:
    library: Library = current_app.extensions["portal.library"]
    return library
