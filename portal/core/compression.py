"""Small answers: text is compressed wherever that gives no secret away."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import lru_cache, partial

import brotli
from flask import Flask, Response, g, request
from werkzeug.http import parse_accept_header

# The first that the browser takes is used. Brotli at 4 makes a page smaller than gzip does, in less time.
METHODS: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, quality=4),
    "gzip": partial(gzip.compress, compresslevel=5, mtime=0),
}
# For what is compressed once and sent often.
THOROUGHLY: dict[str, Callable[[bytes], bytes]] = {
    "br": partial(brotli.compress, quality=11),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}
TEXT = (
    "text/",
    "application/json",
    "application/xml",
    "application/atom+xml",
    "application/fhir+json",
    "image/svg+xml",
)
LEAST = 500  # bytes


def init_app(app: Flask) -> None:
    app.after_request(shrink)


def shrink(response: Response) -> Response:
    """Compress the response, unless it may hold both a form's token and words that another site chose (BREACH)."""
    if "Content-Encoding" in response.headers or response.status_code in {204, 304} or response.is_streamed:
        return response
    if not is_text(response.mimetype) or (response.content_length or 0) < LEAST:
        return response
    response.vary.add("Accept-Encoding")
    chosen_by_others = (request.method == "POST" or bool(request.query_string)) and not g.get("says_nothing_asked")
    method = accepted(request.headers.get("Accept-Encoding", ""))
    if method and not (chosen_by_others and "csrf_token" in g):
        response.set_data(METHODS[method](response.get_data()))
        response.headers["Content-Encoding"] = method
        if (etag := response.get_etag()[0]) is not None:
            response.set_etag(etag, weak=True)  # the same page, in other bytes
    return response


def is_text(mimetype: str | None) -> bool:
    """Whether files of this type become smaller."""
    return bool(mimetype) and str(mimetype).startswith(TEXT)


@lru_cache(maxsize=256)
def accepted(accepts: str) -> str | None:
    """The method of compression to use for a browser that sends this header; None for plain."""
    offered = parse_accept_header(accepts)
    return next((method for method in METHODS if offered[method] > 0), None)


def say_nothing_asked() -> None:
    """Promise that this page repeats no words of its address, only what we know: then it may be compressed."""
    g.says_nothing_asked = True
