"""What every feature stands on: database, forms, pages, errors, the clock."""

from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from portal.config import LOOPBACK_HOSTS, Settings
from portal.core import (
    chores,
    commands,
    compression,
    crypto,
    db,
    errors,
    forms,
    front,
    headers,
    htmx,
    kept,
    keys_cli,
    limits,
    logs,
    numbers,
    outage,
    pages,
    sessions,
    static,
    turns,
)

LARGEST_FORM = 64 * 1024  # bytes; the longest honest form is a tenth of it
WEEK = 7 * 24 * 3600  # seconds


def init_app(app: Flask, settings: Settings) -> None:
    app.config.update(
        PORTAL=settings,
        SECRET_KEY=settings.secret_key,
        SERVER_NAME=urlsplit(settings.address).netloc,  # for links in mail, which is written outside requests
        PREFERRED_URL_SCHEME=urlsplit(settings.address).scheme,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        MAX_FORM_PARTS=200,
        PERMANENT_SESSION_LIFETIME=WEEK,
        SESSION_REFRESH_EACH_REQUEST=False,
        SESSION_COOKIE_NAME="__Host-portal" if settings.production else "portal",
        SESSION_COOKIE_SECURE=settings.production,
        SESSION_COOKIE_SAMESITE="Lax",
        TRUSTED_HOSTS=[settings.host] if settings.production else [settings.host, *LOOPBACK_HOSTS],
        TEMPLATES_AUTO_RELOAD=not settings.production,
    )
    app.wsgi_app = turns.Turns(app.wsgi_app, LARGEST_FORM)  # type: ignore[method-assign]
    app.wsgi_app = front.Front(app, settings)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    commands.init_app(app)
    numbers.init_app(app)  # before any route is added
    sessions.init_app(app)
    logs.init_app(app, settings)  # first, so that its line is the last thing said of a request
    compression.init_app(app)
    kept.init_app(app, settings)
    static.init_app(app)
    crypto.init_app(app, settings)
    db.init_app(app, settings)
    outage.init_app(app)
    forms.init_app(app)
    htmx.init_app(app)
    pages.init_app(app)
    headers.init_app(app)
    errors.init_app(app)
    chores.register("sweep what is no longer limited", limits.sweep)
    app.cli.add_command(keys_cli.group)
