"""What is the same for everybody is worked out once and kept for seconds, by each process for itself.

Nothing has to be thrown away when something changes: it is worked out anew when its seconds are over. In development
nothing is kept beyond a request, so that a change shows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, NamedTuple, ParamSpec, TypeVar

from flask import Flask, current_app, g, has_request_context, request

from portal.config import Settings
from portal.core import clock

KEEP = timedelta(seconds=5)
MOST = 500  # things; nobody can fill the memory by asking for ever more
OF_REQUEST = "portal.kept"

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class Kept(NamedTuple):
    """Something that is kept, until then."""

    until: datetime
    value: Any


def init_app(app: Flask, settings: Settings) -> None:
    app.config["KEEP"] = KEEP if settings.production else timedelta()
    app.extensions["portal.kept"] = {}


def kept(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function that is the same for everybody be called once in `KEEP`; what it raises is not kept."""

    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return keep((function, args, *kwargs.items()), lambda: function(*args, **kwargs))

    return wrapper


def keep(key: Hashable, work_out: Callable[[], Result], at_most: timedelta = KEEP) -> Result:
    """What is kept under that key, or what is worked out now and kept so long."""
    app, now = current_app._get_current_object(), clock.now()  # type: ignore[attr-defined]
    if not app.config["KEEP"]:
        return _keep_for_request(key, work_out)
    found = find_kept(app, key)
    if found is not None:
        known: Result = found.value
        return known
    value = work_out()
    if "without_database" not in g:
        remember(app, key, now + min(at_most, app.config["KEEP"]), value)
    return value


def _keep_for_request(key: Hashable, work_out: Callable[[], Result]) -> Result:
    if not has_request_context():
        return work_out()
    known: dict[Hashable, Result] = request.environ.setdefault(OF_REQUEST, {})
    if key not in known:
        known[key] = work_out()
    return known[key]


def find_kept(app: Flask, key: Hashable) -> Kept | None:
    """What is kept under that key, unless its time is over."""
    found: Kept | None = app.extensions["portal.kept"].get(key)
    if found is None:
        return None
    now = clock.now()
    return found if now < found.until <= now + app.config["KEEP"] else None  # the second for clocks that are set back


def remember(app: Flask, key: Hashable, until: datetime, value: object) -> None:
    """Keep something under that key until then."""
    everything = app.extensions["portal.kept"]
    if len(everything) >= MOST:
        everything.clear()
    everything[key] = Kept(until, value)
