"""The portal: articles, an assessment, and a diary that cannot be double-booked."""

from flask import Flask

from portal.config import Settings, resource_folder


def create_app(settings: Settings | None = None) -> Flask:
    """A portal ready to serve, with these settings or those of the environment.

    Raises SettingsError when they do not let it start, and UndeclaredRoute when a route says nowhere who
    may use it.
    """
    # Here, so that gunicorn's first process, which only reads `portal.serving`, has no code that grows old in it.
    from portal import access, core, limits
    from portal.features import FEATURES

    app = Flask(
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
