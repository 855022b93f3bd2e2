"""Pages that are the same for everybody: rendered and compressed once, then sent as they are for some seconds.

Such a page reads no cookie and says nothing of who asks; what is noted of a reader is noted before it is shown.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Any

from flask import g, request
from flask.globals import request_ctx
from werkzeug import Response

from portal.core.compression import THOROUGHLY, accepted, is_text
from portal.core.headers import may_be_kept
from portal.core.kept import keep

View = Callable[..., Response]
KEPT_AS = "portal.kept_as"  # where a request notes under which key its page is kept, and by which route it was asked


@dataclass(frozen=True)
class Ready:
    """A page as it is sent: its headers, and its bytes for each way to compress them and for none."""

    etag: str
    headers: list[tuple[str, str]]
    bodies: dict[str | None, bytes]

    def send(self, cache_control: str) -> Response:
        """The answer to this request: the page, or that the browser has it already."""
        asked = request.environ
        status, method = self.choose(asked.get("HTTP_IF_NONE_MATCH", ""), asked.get("HTTP_ACCEPT_ENCODING", ""))
        headers = [*self.headers, ("ETag", self.etag), ("Cache-Control", cache_control)]
        if status == 304:
            return Response(status=304, headers=headers)
        if method:
            headers.append(("Content-Encoding", method))
        return Response(self.bodies[method], headers=headers)

    def choose(self, known: str, accepts: str) -> tuple[int, str | None]:
        """The status for a browser that has these already, and the method to compress what it gets."""
        if self.etag in known:
            return 304, None
        return 200, accepted(accepts) if len(self.bodies) > 1 else None


@lru_cache(maxsize=256)  # a page that is made anew is mostly the same
def get_ready(body: bytes, content_type: str) -> Ready:
    """The body as it is sent, compressed as small as it gets where that helps."""
    etag, headers = f'W/"{hashlib.sha256(body).hexdigest()[:20]}"', [("Content-Type", content_type)]
    if not is_text(content_type):
        return Ready(etag, headers, {None: body})
    bodies: dict[str | None, bytes] = {method: compress(body) for method, compress in THOROUGHLY.items()}
    return Ready(etag, [*headers, ("Vary", "Accept-Encoding")], {None: body, **bodies})


class _OnlyOnce(Exception):
    """An answer that is no page for everybody, such as the way to a page that has moved."""

    def __init__(self, response: Response) -> None:
        self.response = response


def same_for_everybody(seconds: int = 300) -> Callable[[View], View]:
    """Mark a view whose page browsers and shared caches may keep for so long.

    What it answers to an address with a question mark is made anew each time: there is no end of such addresses.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(**values: Any) -> Response:
            if request.query_string:
                response = view(**values)
                return may_be_kept(response, seconds) if _is_for_everybody(response) else response
            key = (view, *values.values())
            try:
                page = keep(key, lambda: _make(view(**values)))
            except _OnlyOnce as answer:
                return answer.response
            request.environ[KEPT_AS] = key, request.endpoint
            return page.send(f"public, max-age={seconds}")

        return wrapper

    return decorate


def _make(response: Response) -> Ready:
    if not _is_for_everybody(response):
        raise _OnlyOnce(response)
    return get_ready(response.get_data(), response.headers["Content-Type"])


def _is_for_everybody(response: Response) -> bool:
    kept_for_one = request_ctx._session  # looking at `session` would count as asking who it is
    asked_who = kept_for_one is None or kept_for_one.accessed
    whole = response.status_code == 200 and "without_database" not in g
    return whole and not asked_who and "Set-Cookie" not in response.headers
