"""The headers of every response: what a page may load, who may keep it, what it tells other sites."""

from __future__ import annotations

import re
from typing import TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_login import user_logged_out
from werkzeug import Response as AnyResponse
from werkzeug.exceptions import SecurityError

from portal.config import current_settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
UNUSED = (
    *("accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "hid", "magnetometer"),
    *("microphone", "midi", "payment", "serial", "usb", "xr-spatial-tracking"),
)
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in UNUSED),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
SECRETS = {"token", "key"}  # parts of an address that open something to whoever knows them
REFERENCE = re.compile(r"[A-Z]{2,6}-[A-Z0-9]{4}-[0-9]{2}")  # of a visit; alone it opens nothing for a stranger
# What a search engine may list besides what caches may keep: pages that are fresh each time and about nobody.
FOR_SEARCH_ENGINES = {
    *("home.show_home", "home.serve_theme", "static"),
    *("scheduling.list_specialists", "assessment.show_start", "refer.show_choices"),
}
Page = TypeVar("Page", bound=AnyResponse)
YEAR = 365 * 24 * 3600  # seconds


def init_app(app: Flask) -> None:
    app.before_request(refuse_other_port)
    app.after_request(add_headers)
    user_logged_out.connect(_note_sign_out, app)


def refuse_other_port() -> None:
    """In production, answer to no address but the one that people type, down to its port."""
    settings = current_settings()
    if settings.production and request.host != urlsplit(settings.address).netloc.lower():
        raise SecurityError("another port than ours")


def add_headers(response: Response) -> Response:
    """Strict by default: a view that is public and may be kept says so itself."""
    response.headers.update(ALWAYS)
    response.headers["Referrer-Policy"] = "no-referrer" if _address_is_secret() else "same-origin"
    control, failed = response.cache_control, response.status_code >= 400
    if failed or not (control.max_age or control.no_cache):
        response.headers["Cache-Control"] = "no-store"
    if failed or not (control.public or "about_nobody" in g or request.endpoint in FOR_SEARCH_ENGINES):
        response.headers["X-Robots-Tag"] = "noindex"
    if "signed_out" in g:
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    if current_settings().production:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    return response


def may_be_kept(response: Page, seconds: int = 300) -> Page:
    """Mark a page that is the same for everybody: browsers and caches may keep it for so long."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response


def _address_is_secret() -> bool:
    """Whether the address is a key, or an unknown one that may be a key mistyped: it must not leave in a referrer."""
    keys = [value for name, value in (request.view_args or {}).items() if name in SECRETS]
    return request.endpoint is None or not all(map(REFERENCE.fullmatch, keys))


def _note_sign_out(_app: Flask, **_: object) -> None:
    """The browser is to forget its pages with this answer; not its cookies, which know the colours chosen."""
    g.signed_out = True
