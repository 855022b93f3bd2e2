"""Flask's session in the signed cookie, with what signs it made once instead of twice a request."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer


class Sessions(SecureCookieSessionInterface):
    """Flask's own, which remembers what signs with the app's keys."""

    def __init__(self) -> None:
        self._made: dict[Any, URLSafeTimedSerializer | None] = {}

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        keys = app.secret_key, tuple(app.config["SECRET_KEY_FALLBACKS"] or ())
        if keys not in self._made:
            self._made[keys] = super().get_signing_serializer(app)
        return self._made[keys]


def init_app(app: Flask) -> None:
    app.session_interface = Sessions()
