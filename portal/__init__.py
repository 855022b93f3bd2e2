"""The portal: articles, an assessment, and a diary that cannot be double-booked."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask

from portal.config import Settings, resource_folder


class Portal(Flask):
    """Flask for an app without coroutines: it need not look for them at each function that it calls."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


@contextmanager
def _building(for_good: bool) -> Iterator[None]:
    """Search for no garbage meanwhile: nearly all that is imported and built stays, and searching takes a fifth of it.

    Then all of it is old. Built for good, it is left out of every search: that would copy it into each forked process.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if not for_good:
            gc.unfreeze()
        if collecting:
            gc.enable()


def create_app(settings: Settings | None = None) -> Flask:
    """A portal ready to serve, with these settings or those of the environment.

    Raises SettingsError when they do not let it start, and UndeclaredRoute when a route says nowhere who
    may use it.
    """
    settings = settings or Settings.from_environment()
    with _building(for_good=settings.production):
        return _build(settings)


def _build(settings: Settings) -> Flask:
    # Here, so that gunicorn's first process, which only reads `portal.serving`, has no code that grows old in it.
    from portal import access, core, limits
    from portal.features import FEATURES

    app = Portal(
        __name__,
        template_folder=str(resource_folder("templates")),
        static_folder=str(resource_folder("static")),
    )
    core.init_app(app, settings)
    for feature in FEATURES:
        feature.init_app(app)
    access.init_app(app)
    limits.init_app(app)
    return app
