"""The portal: articles, an assessment, and a diary that cannot be double-booked."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from portal.config import Settings, resource_folder


class Portal(Flask):
    """Flask for an app without coroutines: it need not look for them at each function that it calls."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """A portal ready to serve, with these settings or those of the environment.

    Raises SettingsError when they do not let it start, and UndeclaredRoute when a route says nowhere who
    may use it.
    """
    # Here, so that gunicorn's first process, which only reads `portal.serving`, has no code that grows old in it.
    from portal import access, core, limits
    from portal.features import FEATURES

    app = Portal(
        __name__,
        template_folder=str(resource_folder("templates")),
        static_folder=str(resource_folder("static")),
    )
    core.init_app(app, settings or Settings.from_environment())
    for feature in FEATURES:
        feature.init_app(app)
    access.init_app(app)
    limits.init_app(app)
    return app
