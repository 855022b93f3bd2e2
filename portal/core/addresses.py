"""Addresses that somebody sends, such as where a browser says that it comes from."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, urlsplit

from flask import request

MEANT = "/:@!$&'()*+,;=~"  # characters that an address is written with, and not only holds


def split_address(address: str | None) -> SplitResult:
    """The parts of an address; all of them empty where it cannot be read."""
    try:
        return urlsplit(address or "")
    except ValueError:
        return urlsplit("")


def present_address() -> str:
    """The address that is asked for, on this host, as it is written in a link."""
    path, query = quote(request.path, safe=MEANT), quote(request.query_string, safe=f"%?{MEANT}")
    return f"{path}?{query}" if query else path
