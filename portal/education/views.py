"""`/articles/`, `/treatments/` and `/search`: pages to read, the same for everybody."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request
from werkzeug import Response as AnyResponse

from portal.core.htmx import render
from portal.core.public import same_for_everybody
from portal.education.cards import render_card
from portal.education.library import Library, Page
from portal.education.search import LONGEST_QUERY, find_alarms
from portal.education.shelf import get_library, get_shelf

blueprint = Blueprint("education", __name__)
DAY = 24 * 3600  # seconds


@blueprint.get("/articles/")
@same_for_everybody()
def list_articles() -> Response:
    return render("education/articles.html", articles=get_library().articles.values())


@blueprint.get("/articles/<slug>")
@same_for_everybody()
def show_article(slug: str) -> AnyResponse:
    library = get_library()
    return _show(library.articles.get(slug), list(library.articles.values()))


@blueprint.get("/treatments/")
@same_for_everybody()
def list_treatments() -> Response:
    return render("education/treatments.html", treatments=get_library().treatments.values())


@blueprint.get("/treatments/<slug>")
@same_for_everybody()
def show_treatment(slug: str) -> AnyResponse:
    library = get_library()
    return _show(library.treatments.get(slug), list(library.treatments.values()))


@blueprint.get("/<any(articles, treatments):kind>/<slug>/card.png")
@same_for_everybody(DAY)
def show_card(kind: str, slug: str) -> Response:
    """The picture of a page for where it is shared; who shows it there fetches it once and keeps a copy."""
    page = _pages(get_library(), kind).get(slug) or abort(404)
    clinic = render_template("mail/sender.txt")
    response = make_response(render_card(page.about.title, page.about.topic, clinic, page.drawing))
    response.headers["Content-Type"] = "image/png"
    return response


@blueprint.get("/articles/feed.xml")
@same_for_everybody()
def show_feed() -> Response:
    articles = sorted(get_library().articles.values(), key=lambda article: article.about.written, reverse=True)
    response = make_response(render_template("education/feed.xml", articles=articles))
    response.headers["Content-Type"] = "application/atom+xml; charset=utf-8"
    return response


@blueprint.get("/search")
def search() -> Response:
    text = request.args.get("q", "")[:LONGEST_QUERY]
    library, hits = get_library(), get_shelf().index.find(text)
    alarms = find_alarms(library, text)
    return render("education/search.html", "results", query=text, hits=hits, alarms=alarms, library=library)


def _show(page: Page[Any] | None, shelf: list[Any]) -> AnyResponse:
    if page is None:
        moved = get_library().moved.get(request.path) or abort(404)
        return redirect(moved, 301)
    others = [other for other in shelf if other is not page and other.about.topic == page.about.topic]
    others += [other for other in shelf if other is not page and other not in others]
    return render("education/page.html", page=page, others=others[:3])


def _pages(library: Library, kind: str) -> dict[str, Page[Any]]:
    return {page.slug: page for page in library.pages if page.about.kind == kind}
