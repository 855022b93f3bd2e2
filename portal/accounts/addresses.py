"""Where to go on: pages of the desk, never another site."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import request

HOME = "/desk/"
NO_GOAL = ("/desk/sign-", "/desk/verify", "/desk/second-factor", "/desk/recover")  # signing in is none itself


def here() -> str:
    """The address that was asked for, as far as it can be gone on to."""
    return local_path(request.full_path if request.query_string else request.path)


def local_path(address: str | None) -> str:
    """The path of a page of the desk, without the host; the desk's first page for any other address."""
    try:
        parts = urlsplit(address or "")
    except ValueError:
        return HOME
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    fits = path.startswith("/desk/") and not path.startswith(NO_GOAL) and path.isprintable() and "\\" not in path
    return path if fits else HOME
