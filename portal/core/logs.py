"""What the portal says of itself: one line an event, with a request id, and with nothing of anybody in it.

In production each line is a JSON object. A request is named by its route, never by its address, which may be a key;
errors keep their type and place, never their message, which may repeat what somebody typed; and of what libraries
say only the pattern, the numbers and the names of signals are kept. In development lines are for reading, with whole
tracebacks.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from flask import Flask, Response, g, has_request_context, request

from portal.config import Settings, current_settings
from portal.core.turns import seconds_since_it_came

OURS = "portal"  # the logger above all of ours
OF_TABLES = frozenset({"flask_migrate"})  # what it says is of migrations, and of nobody
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
REQUEST_ID = re.compile(r"[0-9a-f][0-9a-f-]{14,34}[0-9a-f]")  # as proxies make them: hexadecimal or a UUID
HEADER = "X-Request-ID"
CODE_LENGTH = 8
SIGNALS = frozenset(known.name for known in signal.Signals)
write_json = json.JSONEncoder(ensure_ascii=False).encode

log = logging.getLogger(__name__)


class StandardError(logging.Handler):
    """Writes lines to standard error, wherever that leads at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """A line that cannot be written is dropped: what it would have said must not come out in another way."""


class JsonLines(logging.Formatter):
    """One JSON object a line, with types and places of errors and no value of anybody."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage() if _is_ours(record.name) else _pattern(record),
        }
        if has_request_context():
            line |= {"request": request_id(), "endpoint": request.endpoint}
        line |= getattr(record, "facts", {})
        if record.exc_info and record.exc_info[1]:
            line["errors"] = _describe(record.exc_info[1])
        return write_json(line)


class Lines(logging.Formatter):
    """For people who develop: a clock, the message, and the whole traceback."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s  %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        said = {"endpoint": request.endpoint} if has_request_context() else {}
        facts = " ".join(f"{name}={value}" for name, value in (said | getattr(record, "facts", {})).items())
        first, separator, rest = super().format(record).partition("\n")
        return f"{first} {facts}".rstrip() + separator + rest


def init_app(app: Flask, settings: Settings) -> None:
    """Let this process speak in that way, and note each request."""
    speak(settings)
    app.after_request(_note)
    app.jinja_env.globals["request_code"] = request_code


def speak(settings: Settings) -> None:
    """Let all that this process says come out as those lines; saying it again changes nothing."""
    handler = StandardError()
    handler.setFormatter(JsonLines() if settings.production else Lines())
    root = logging.getLogger()
    root.handlers[:] = [*(h for h in root.handlers if not isinstance(h, StandardError)), handler]
    logging.getLogger(OURS).setLevel(logging.INFO)
    if settings.production:
        _take_over()


def request_id() -> str:
    """The id of this request: that of a proxy we trust, if it looks like one, else our own."""
    if "request_id" not in g:
        given = request.headers.get(HEADER, "") if current_settings().trusted_proxies else ""
        g.request_id = choose_id(given)
    kept: str = g.request_id
    return kept


def choose_id(given: str) -> str:
    """The id that somebody gave to a request, if it looks like one, else a new one."""
    return given if given and REQUEST_ID.fullmatch(given) else os.urandom(16).hex()


def request_code() -> str:
    """The beginning of the request's id, as somebody reads it out on the phone."""
    return request_id().replace("-", "")[:CODE_LENGTH].upper()


def _note(response: Response) -> Response:
    response.headers[HEADER] = request_id()
    say_answered({}, request.method, response.status_code, seconds_since_it_came(request.environ), _actor())
    return response


def say_answered(of_request: dict[str, str], method: str, status: int, seconds: float, actor: str = "visitor") -> None:
    """Note an answer; what request it was an answer to is to be said where Flask knows of none."""
    facts = {
        **of_request,
        "method": method if method in METHODS else "other",
        "status": status,
        "milliseconds": round(seconds * 1000, 1),
        "actor": actor,
    }
    log.info("answered", extra={"facts": facts})


def _actor() -> str:
    """Who asked, where the request has found out: like "staff:7". Asking here would read the cookie."""
    user = g.get("_login_user")  # where Flask-Login keeps it
    return f"staff:{user.id}" if user is not None and user.is_authenticated else "visitor"


def _take_over() -> None:
    """What the web server and the interpreter would say in their own way, addresses and values included."""
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = name != "gunicorn.access"
    sys.excepthook = _note_end
    threading.excepthook = lambda end: _note_end(end.exc_type, end.exc_value, end.exc_traceback)


def _note_end(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    log.critical("ended by an error", exc_info=(kind, error or kind(), trace))


def _is_ours(name: str) -> bool:
    return name == OURS or name.startswith(f"{OURS}.") or name in OF_TABLES


def _pattern(record: logging.LogRecord) -> str:
    """What a library says, with numbers and signals; a message made up beforehand may hold anything and is left out."""
    if not record.args or not isinstance(record.args, tuple):
        return f"said at {Path(record.pathname).name}:{record.lineno}"
    kept = iter(record.args)
    return re.sub(r"%[-+ #0-9.]*[a-zA-Z]", lambda found: _if_harmless(next(kept, None)), str(record.msg))


def _if_harmless(value: object) -> str:
    harmless = isinstance(value, int | float) or (isinstance(value, str) and value in SIGNALS)
    return str(value) if harmless else "…"


def _describe(error: BaseException | None) -> list[dict[str, object]]:
    """Type and place of an error and of those before it, the latest first."""
    described: list[dict[str, object]] = []
    while error is not None and len(described) < 5:
        frames = traceback.extract_tb(error.__traceback__)
        described.append(
            {
                "type": f"{type(error).__module__}.{type(error).__qualname__}",
                "at": [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames],
            }
        )
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return described


def _short(file: str) -> str:
    """A file's name from its package on: where it is installed says nothing."""
    return file.rpartition("site-packages/")[2] if "site-packages/" in file else "/".join(Path(file).parts[-3:])
