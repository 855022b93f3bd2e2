"""A process works on one request at a time; its other threads read from who sends slowly and write to who takes slowly.

Threads of Python at work take the interpreter from each other at each step of the database: four at once need half as
much processor time again for each request as one after the other, and all of them are answered later. See
docs/decisions/0012-server.md.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

PATIENCE = 5  # seconds; then whatever has the turn is stuck, and nobody else shall be

Environ = dict[str, Any]


class Turns:
    """Calls an app for one request at a time, once all of the request is there, up to `most` bytes."""

    def __init__(self, app: Callable[..., Iterable[bytes]], most: int) -> None:
        self._app, self._most = app, most
        self._turn = threading.Lock()

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("CONTENT_LENGTH") or "HTTP_TRANSFER_ENCODING" in environ:
            environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(self._most + 1))
        has_turn = self._turn.acquire(timeout=PATIENCE)
        try:
            return self._app(environ, start_response)
        finally:
            if has_turn:
                self._turn.release()
