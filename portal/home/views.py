"""`/`, and the few pages that belong to no feature: display, privacy."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.config import current_settings
from portal.core.addresses import split_address
from portal.core.htmx import render
from portal.core.public import same_for_everybody
from portal.core.static import find_static
from portal.education.shelf import get_library
from portal.home.forms import THEMES, DisplayForm

blueprint = Blueprint("home", __name__)
MINUTE = 60  # seconds; the next free time stands on the home page
YEAR = 365 * 24 * 3600


@blueprint.get("/")
@same_for_everybody(MINUTE)
def show_home() -> Response:
    return render("home/home.html", articles=get_library().articles.values())


@blueprint.get("/privacy")
@same_for_everybody()
def show_privacy() -> Response:
    return render("home/privacy.html")


@blueprint.get("/display")
def choose_display() -> Response:
    return render("home/display.html", form=DisplayForm(theme=_theme(), back=_page_before()))


@blueprint.post("/display")
def save_display() -> AnyResponse:
    form = DisplayForm()
    if not form.validate():
        return render("home/display.html", status=422, form=form, outcome="invalid")
    response = redirect(_own_path(form.back.data), 303)
    secure = current_settings().production
    response.set_cookie(_cookie(), form.theme.data, max_age=YEAR, samesite="Lax", httponly=True, secure=secure)
    return response


@blueprint.get("/theme.css")
def serve_theme() -> AnyResponse:
    """The colours chosen by this browser, as a style sheet, so that the pages themselves stay the same for all.

    It is asked for with each page: Chromium uses a sheet that it may keep again whatever cookie that varies by, and
    the colours just chosen would not show.
    """
    file = find_static(f"css/theme-{_theme()}.css")
    assert file is not None
    response = file.ready.send("private, no-cache")
    response.vary.add("Cookie")
    return response


def _cookie() -> str:
    """The cookie's name, which in production binds it to this host alone."""
    return "__Host-theme" if current_settings().production else "theme"


def _theme() -> str:
    chosen = request.cookies.get(_cookie(), "")
    return chosen if chosen in dict(THEMES) else "auto"


def _page_before() -> str:
    """The page that led here, with what it was asked for, if it is one of ours that says so."""
    parts = split_address(request.referrer)
    return parts._replace(scheme="", netloc="").geturl() if parts.netloc == request.host else url_for(".show_home")


def _own_path(path: str | None) -> str:
    """The path, if it is one of ours; else the home page: a form field is no place to trust."""
    ours = path and path.startswith("/") and not path.startswith(("//", "/\\")) and not urlsplit(path).netloc
    return path if ours and path else url_for(".show_home")
