"""htmx, which enhances pages and is never needed. The only module that looks at HX- headers."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, make_response, redirect, render_template, request
from flask_htmx import HTMX
from flask_htmx import make_response as make_htmx_response
from flask_wtf.csrf import generate_csrf
from jinja2_fragments.flask import render_block
from werkzeug import Response as AnyResponse

from portal.core.kept import KEEP, keep

TOKEN_HERE = "[the token of who asks]"  # noqa: S105


class Htmx(HTMX):
    """flask-htmx, with what htmx 4 says in its request headers."""

    @property
    def partial(self) -> bool:
        """Whether the browser will put the answer into a part of the page it already shows."""
        return bool(self) and request.headers.get("HX-Request-Type", "partial") == "partial"


htmx = Htmx()


def init_app(app: Flask) -> None:
    htmx.init_app(app)


def render(template: str, fragment: str | None = None, status: int = 200, **context: Any) -> Response:
    """The whole page, or for htmx only the block of it named `fragment`.

    The view names the block, never the browser; a block's text stands word for word in the whole page.
    """
    return _respond(_write(template, fragment, context), fragment, status)


def render_alike(
    template: str,
    fragment: str | None,
    key: tuple[Hashable, ...],
    find_context: Callable[[], dict[str, Any]],
    keep_for: timedelta = KEEP,
) -> Response:
    """As `render`, for a page that is made once for all who ask within `keep_for`.

    By nothing but `key` and the token in its forms may it differ for one of them from what another gets. Being about
    nobody, it may be listed by search engines.
    """
    g.about_nobody = True

    def make() -> str:
        return _write(template, fragment, find_context()).replace(generate_csrf(), TOKEN_HERE)

    html = keep((template, htmx.partial, *key), make, keep_for)
    return _respond(html.replace(TOKEN_HERE, generate_csrf()), fragment, 200)


def _write(template: str, fragment: str | None, context: dict[str, Any]) -> str:
    if fragment and htmx.partial:
        return str(render_block(template, fragment, **context))
    return render_template(template, **context)


def _respond(html: str, fragment: str | None, status: int) -> Response:
    response = make_response(html, status)
    if fragment:
        response.vary.update(("HX-Request", "HX-Request-Type"))
    return response


def go_on(url: str, show: Callable[[], Response]) -> AnyResponse:
    """After a form, lead to the next page; htmx gets what `show` gives of it at once, without asking again."""
    if not htmx.partial:
        return redirect(url, 303)
    response = show()
    response.headers["HX-Push-Url"] = url
    return response


def leave(url: str) -> AnyResponse:
    """Send the browser to another page as a whole, also when htmx asked.

    A plain redirect is followed by htmx itself, which would put the new page's fragment into the old page.
    """
    if htmx.partial:
        response: AnyResponse = make_htmx_response(redirect=url)
        return response
    return redirect(url, 303)
