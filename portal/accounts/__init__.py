"""Staff, their roles, and signing in (by Flask-Security)."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from flask import Flask, g, request
from flask_login import current_user, user_logged_in
from flask_login.utils import _user_context_processor
from flask_security import Security, SQLAlchemyUserDatastore
from markupsafe import Markup

from portal import audit
from portal.accounts import cli, screen_views, services, shared_screen, views
from portal.accounts.models import Role, User, WebAuthn
from portal.config import Settings
from portal.core.db import db

SIGN_IN_HOOKS = {"flask_principal", "flask_login.login_manager"}


def init_app(app: Flask) -> None:
    settings: Settings = app.config["PORTAL"]
    app.config.update(_security_config(settings))
    Security(app, SQLAlchemyUserDatastore(db, User, Role, WebAuthn))
    _confine_to_the_desk(app.before_request_funcs[None])
    _confine_to_the_desk(app.after_request_funcs[None])
    app.template_context_processors[None].remove(_user_context_processor)
    app.jinja_env.globals["current_user"] = current_user
    app.jinja_env.filters["inline_svg"] = _inline_svg
    app.register_blueprint(views.blueprint)
    app.register_blueprint(screen_views.blueprint)
    app.cli.add_command(cli.group)
    audit.services.identify_actor_by(_current_actor)
    user_logged_in.connect(_record_sign_in, app)
    shared_screen.init_app(app)


def _confine_to_the_desk(hooks: list[Any]) -> None:
    """Ask who is signed in only where staff sign in.

    Asking reads the cookie, and a page that reads it cannot be shared by caches.
    """

    def confined(hook: Any) -> Any:
        return lambda *arguments: hook(*arguments) if request.path.startswith("/desk") else (arguments or (None,))[0]

    hooks[:] = [confined(hook) if hook.__module__ in SIGN_IN_HOOKS else hook for hook in hooks]


def _current_actor() -> str | None:
    signed_in = current_user.id if current_user and current_user.is_authenticated else None
    acting = signed_in or g.get("acting_staff")
    return f"staff:{acting}" if acting else None


def _record_sign_in(_app: Flask, user: User, **_: Any) -> None:
    db.session.commit()  # Flask-Security may have renewed the password's hash
    services.record_sign_in(user.id)


def _inline_svg(data_uri: str) -> Markup:
    """The drawing within a data address that Flask-Security made; our pages load no data addresses."""
    drawing = base64.b64decode(data_uri.partition("base64,")[2]).decode()
    return Markup(drawing.replace("svg:", "").replace("xmlns:svg", "xmlns"))  # noqa: S704 - made by our server


def _derived(settings: Settings, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{settings.secret_key}".encode()).hexdigest()


def _security_config(settings: Settings) -> dict[str, object]:
    return {
        "SECURITY_URL_PREFIX": "/desk",
        "SECURITY_LOGIN_URL": "/sign-in",
        "SECURITY_LOGOUT_URL": "/sign-out",
        "SECURITY_TWO_FACTOR_SETUP_URL": "/second-factor",
        "SECURITY_TWO_FACTOR_TOKEN_VALIDATION_URL": "/second-factor/code",
        "SECURITY_TWO_FACTOR_RESCUE_URL": "/second-factor/rescue",
        "SECURITY_TWO_FACTOR_SELECT_URL": "/second-factor/select",
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES_URL": "/recovery-codes",
        "SECURITY_MULTI_FACTOR_RECOVERY_URL": "/recover",
        "SECURITY_POST_LOGIN_VIEW": "/desk/",
        "SECURITY_POST_LOGOUT_VIEW": "/desk/sign-in",
        "SECURITY_LOGOUT_CSRF": True,
        "SECURITY_PASSWORD_SALT": _derived(settings, "password"),
        "SECURITY_PASSWORD_LENGTH_MIN": services.SHORTEST_PASSWORD,
        "SECURITY_EMAIL_VALIDATOR_ARGS": {"check_deliverability": False},
        "SECURITY_RETURN_GENERIC_RESPONSES": True,
        "SECURITY_TWO_FACTOR": True,
        "SECURITY_TWO_FACTOR_REQUIRED": settings.mfa_required,
        "SECURITY_TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "SECURITY_TWO_FACTOR_RESCUE_EMAIL": False,
        "SECURITY_MULTI_FACTOR_RECOVERY_CODES": True,
        "SECURITY_TOTP_SECRETS": {"1": _derived(settings, "totp")},
        "SECURITY_TOTP_ISSUER": "Clinic portal",
        "SECURITY_STATIC_FOLDER": None,
        "SECURITY_MSG_GENERIC_AUTHN_FAILED": ("E-mail or password is not right.", "error"),
        "SECURITY_CLI_USERS_NAME": None,
        "SECURITY_CLI_ROLES_NAME": None,
    }
