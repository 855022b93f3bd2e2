"""Addresses that somebody sends, such as where a browser says that it comes from."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit


def split_address(address: str | None) -> SplitResult:
    """The parts of an address; all of them empty where it cannot be read."""
    try:
        return urlsplit(address or "")
    except ValueError:
        return urlsplit("")
