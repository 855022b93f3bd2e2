"""Staff, their roles, and signing in: accounts, hashes and codes by Flask-Security, sessions and pages our own."""

from __future__ import annotations

from portal.accounts import without_webauthn  # noqa: F401 - before anything else imports Flask-Security

# isort: split
import hashlib
from collections.abc import Callable
from typing import Any

from flask import Flask, g, request
from flask_login import current_user
from flask_login.utils import _user_context_processor
from flask_security import Security, SQLAlchemyUserDatastore

from portal import audit
from portal.accounts import (
    account_views,
    cli,
    passkey_views,
    recent_views,
    screen_views,
    second_step,
    second_step_views,
    services,
    sessions,
    shared_screen,
    sign_in_views,
    views,
)
from portal.accounts.models import Role, User, WebAuthn
from portal.config import Settings
from portal.core import chores
from portal.core.db import db

SIGN_IN_HOOKS = {"flask_principal", "flask_login.login_manager"}


def init_app(app: Flask) -> None:
    settings: Settings = app.config["PORTAL"]
    app.config.update(_security_config(settings))
    app.extensions["security"] = Security(
        app, SQLAlchemyUserDatastore(db, User, Role, WebAuthn), register_blueprint=False
    )
    _confine_to_the_desk(app.before_request_funcs[None])
    _confine_to_the_desk(app.after_request_funcs[None])
    app.template_context_processors[None].remove(_user_context_processor)
    app.jinja_env.globals["current_user"] = current_user
    second_step.init_app(app, _derived(settings, "totp"))
    for views_of in (
        views,
        screen_views,
        sign_in_views,
        second_step_views,
        passkey_views,
        recent_views,
        account_views,
    ):
        app.register_blueprint(views_of.blueprint)
    app.cli.add_command(cli.group)
    audit.services.identify_actor_by(_current_actor)
    shared_screen.init_app(app)
    chores.register("old staff sessions", sessions.forget_old)


def _confine_to_the_desk(hooks: list[Any]) -> None:
    """Ask who is signed in only where staff sign in.

    Asking reads the cookie, and a page that reads it cannot be shared by caches.
    """

    def confined(hook: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: hook(*arguments) if request.path.startswith("/desk") else (arguments or (None,))[0]

    hooks[:] = [confined(hook) if hook.__module__ in SIGN_IN_HOOKS else hook for hook in hooks]


def _current_actor() -> str | None:
    signed_in = current_user.id if current_user and current_user.is_authenticated else None
    acting = signed_in or g.get("acting_staff")
    return f"staff:{acting}" if acting else None


def _derived(settings: Settings, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{settings.secret_key}".encode()).hexdigest()


def _security_config(settings: Settings) -> dict[str, object]:
    return {
        "SECURITY_PASSWORD_SALT": _derived(settings, "password"),
        "SECURITY_PASSWORD_LENGTH_MIN": services.SHORTEST_PASSWORD,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }
