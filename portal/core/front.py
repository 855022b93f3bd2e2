"""In front of Flask: who asks as a stranger for a page that is kept gets what the stranger before got, at once.

Only a plain GET of our own address, without a question mark and without a cookie, is answered here; whoever brings
more goes the whole way, where it is asked who it is, what is to be noted and what may be done. A page is given from
here as long as it is kept, and no longer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from blinker import Signal
from flask import Flask
from werkzeug.http import is_entity_header

from portal.config import Settings
from portal.core import logs
from portal.core.kept import find_kept, remember
from portal.core.public import KEPT_AS, Ready

OF_ONE_ANSWER = {"content-encoding", "content-length", logs.HEADER.lower()}
STATUS = {200: "200 OK", 304: "304 NOT MODIFIED"}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

given_at_once = Signal("Sent by an app for each answer that Flask saw nothing of: endpoint, status, seconds.")


class Known(NamedTuple):
    """A kept page as the first who asked for it got it: by which route, and the headers of every answer."""

    endpoint: str
    page: Ready
    headers: dict[int, list[tuple[str, str]]]  # by status


class Front:
    """What is called in place of the app's own `wsgi_app`."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app, self._whole_way = app, app.wsgi_app
        self._host = urlsplit(settings.address).netloc.lower()
        self._believe_ids = bool(settings.trusted_proxies)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if not self._is_plain(environ):
            return self._whole_way(environ, start_response)
        path, began = environ["PATH_INFO"], time.perf_counter()
        if (found := find_kept(self._app, (Front, path))) is not None:
            return self._give(found.value, environ, start_response, began)

        def start_and_learn(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            if KEPT_AS in environ and status.startswith("200"):
                self._learn(path, headers, *environ[KEPT_AS])
            return start_response(status, headers, *error)

        return self._whole_way(environ, start_and_learn)

    def _is_plain(self, environ: Environ) -> bool:
        return (
            environ["REQUEST_METHOD"] == "GET"
            and not environ.get("QUERY_STRING")
            and "HTTP_COOKIE" not in environ
            and environ.get("HTTP_HOST") == self._host
            and not environ.get("SCRIPT_NAME")
        )

    def _learn(self, path: str, headers: list[tuple[str, str]], key: Any, endpoint: str) -> None:
        found = find_kept(self._app, key)
        if found is None or any(name == "Set-Cookie" for name, _ in headers):
            return
        whole = [header for header in headers if header[0].lower() not in OF_ONE_ANSWER]
        bare = [header for header in whole if not is_entity_header(header[0])]
        remember(self._app, (Front, path), found.until, Known(endpoint, found.value, {200: whole, 304: bare}))

    def _give(self, known: Known, environ: Environ, start_response: StartResponse, began: float) -> Iterable[bytes]:
        page = known.page
        status, method = page.choose(environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_ACCEPT_ENCODING", ""))
        request_id = logs.choose_id(environ.get("HTTP_X_REQUEST_ID", "") if self._believe_ids else "")
        headers, body = [*known.headers[status], (logs.HEADER, request_id)], []
        if status == 200:
            body = [page.bodies[method]]
            headers += [("Content-Encoding", method)] if method else []
            headers.append(("Content-Length", str(len(body[0]))))
        start_response(STATUS[status], headers)
        seconds = time.perf_counter() - began
        logs.say_answered({"request": request_id, "endpoint": known.endpoint}, "GET", status, seconds)
        given_at_once.send(self._app, endpoint=known.endpoint, status=status, seconds=seconds)
        return body
