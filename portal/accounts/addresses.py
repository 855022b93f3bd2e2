"""Where to go on: pages of the desk, never another site."""

from __future__ import annotations

from pathlib import PurePosixPath

from flask import current_app, request

from portal.core.addresses import split_address

HOME = "/desk/"
NO_GOAL = ("/desk/sign-", "/desk/verify", "/desk/second-factor", "/desk/recover")  # signing in is none itself


def here() -> str:
    """The address that was asked for, as far as it can be gone on to."""
    return local_path(request.full_path if request.query_string else request.path)


def local_path(address: str | None) -> str:
    """The path of a page of the desk, without the host; the desk's first page for any other address."""
    parts = split_address(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    ours = parts.netloc in {"", request.host} and path.startswith("/desk/") and not path.startswith(NO_GOAL)
    return path if ours and path.isprintable() and "\\" not in path else HOME


def way_back(address: str | None) -> str:
    """As `local_path`, of a page that can be opened: for an address that takes only forms the page above it."""
    path = local_path(address)
    routes = current_app.create_url_adapter(request)
    assert routes is not None
    if routes.test(path.partition("?")[0], "GET"):
        return path
    return next((str(above) for above in PurePosixPath(path).parents if routes.test(str(above), "GET")), HOME)
