"""Browsers in which somebody has signed in before: they keep a signed note of it, so that wrong passwords that others
send, even from the same address, never keep a person from signing in at the own desk.

The note names no person and opens nothing; it ends with the next password.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import NamedTuple

from flask import Response, after_this_request, current_app, request
from itsdangerous import BadData, URLSafeSerializer

from portal.accounts.models import User
from portal.config import current_settings

KEPT = timedelta(days=180)
MOST = 20  # people at one browser


class Browser(NamedTuple):
    """What a browser brings: its random id, and which accounts have signed in with it, by a mark of each."""

    id: str
    marks: list[str]

    def knows(self, user: User | None) -> bool:
        """Whether that account has signed in here since it got its password."""
        return user is not None and _mark(user) in self.marks


def read() -> Browser:
    """The browser that asks; one that brings no note is new."""
    try:
        return Browser(*_signer().loads(request.cookies.get(_name(), "")))
    except (BadData, TypeError):
        return Browser(secrets.token_urlsafe(16), [])


def remember(user: User) -> None:
    """Note in the answer that this account has signed in here."""
    browser, mark = read(), _mark(user)
    marks = [mark, *(other for other in browser.marks if other != mark)][:MOST]

    @after_this_request
    def note(response: Response) -> Response:
        response.set_cookie(
            _name(),
            _signer().dumps([browser.id, marks]),
            max_age=KEPT,
            secure=current_settings().production,
            httponly=True,
            samesite="Strict",
        )
        return response


def _mark(user: User) -> str:
    return user.fs_uniquifier[:12]  # renewed with each password


def _name() -> str:
    return "__Host-portal-browser" if current_settings().production else "portal-browser"


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="known-browser")
