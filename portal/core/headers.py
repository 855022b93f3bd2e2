"""The headers of every response: what a page may load, who may keep it, what it tells other sites."""

from __future__ import annotations

from typing import TypeVar

from flask import Flask, Response, request
from werkzeug import Response as AnyResponse

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
ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
Page = TypeVar("Page", bound=AnyResponse)
YEAR = 365 * 24 * 3600  # seconds


def init_app(app: Flask) -> None:
    app.after_request(add_headers)


def add_headers(response: Response) -> Response:
    """Strict by default: a view that is public and may be kept says so itself."""
    for name, value in ALWAYS.items():
        response.headers.setdefault(name, value)
    if request.endpoint != "static" and not response.cache_control.max_age:
        response.headers["Cache-Control"] = "no-store"
    if current_settings().production:
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    return response


def may_be_kept(response: Page, seconds: int = 300) -> Page:
    """Mark a page that is the same for everybody: browsers and caches may keep it for so long."""
    response.headers["Cache-Control"] = f"public, max-age={seconds}"
    response.add_etag()
    response.make_conditional(request)
    return response
