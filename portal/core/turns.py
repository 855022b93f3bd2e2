"""A process works on one request at a time; its other threads read from who sends slowly and write to who takes slowly.

Threads of Python at work take the interpreter from each other at each step of the database: four at once need half as
much processor time again for each request as one after the other, and all of them are answered later. See
docs/decisions/0012-server.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

PATIENCE = 5  # seconds; then whatever has the turn is stuck, and nobody else shall be
CAME = "portal.came"  # when all of a request was there, in its environment

Environ = dict[str, Any]


class Turns:
    """Calls an app for one request at a time, once all of the request is there, up to `most` bytes."""

    def __init__(self, app: Callable[..., Iterable[bytes]], most: int) -> None:
        self._app, self._most = app, most
        self._turn = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(self._most + 1))
        environ[CAME] = time.perf_counter()
        has_turn = self._turn.acquire(timeout=PATIENCE)
        try:
            return self._app(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()


def seconds_since_it_came(environ: Environ) -> float:
    """How long a request has taken so far, with its wait for a turn and without that for who sends it."""
    now = time.perf_counter()
    return now - float(environ.get(CAME, now))
