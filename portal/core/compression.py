"""Small answers: text is compressed wherever that gives no secret away."""

from __future__ import annotations

from flask import Flask, Response, g, request
from flask_compress import Compress

compress = Compress()


def init_app(app: Flask) -> None:
    app.config.update(
        COMPRESS_REGISTER=False,  # `shrink` decides
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_ALGORITHM_STREAMING=["br"],
    )
    compress.init_app(app)
    app.after_request(shrink)


def shrink(response: Response) -> Response:
    """Compress the response, unless it may hold both a form's token and words that another site chose (BREACH)."""
    chosen_by_others = (request.method == "POST" or bool(request.query_string)) and not g.get("says_nothing_asked")
    if chosen_by_others and "csrf_token" in g:
        return response
    return compress.after_request(response)


def say_nothing_asked() -> None:
    """Promise that this page repeats no words of its address, only what we know: then it may be compressed."""
    g.says_nothing_asked = True
