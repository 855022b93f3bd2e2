"""What is the same for everybody is worked out once and kept for seconds, by each process for itself.

Nothing has to be thrown away when something changes: it is worked out anew when its seconds are over. In development
nothing is kept, so that a change shows at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, g

from portal.config import Settings
from portal.core import clock

KEEP = timedelta(seconds=5)

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def init_app(app: Flask, settings: Settings) -> None:
    app.config["KEEP"] = KEEP if settings.production else timedelta()
    app.extensions["portal.kept"] = {}


def kept(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function that is the same for everybody be called once in `KEEP`; what it raises is not kept."""

    @wraps(function)
    def wrapper(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return keep((function, args, *kwargs.items()), lambda: function(*args, **kwargs))

    return wrapper


def keep(key: Hashable, work_out: Callable[[], Result]) -> Result:
    """What is kept under that key, or what is worked out now."""
    known: dict[Hashable, Any] = current_app.extensions["portal.kept"]
    now, keep_for = clock.now(), current_app.config["KEEP"]
    until, value = known.get(key, (now, None))
    if not now < until <= now + keep_for:  # the second for clocks that are set back
        value = work_out()
        if "without_database" not in g:
            known[key] = (now + keep_for, value)
    result: Result = value
    return result
