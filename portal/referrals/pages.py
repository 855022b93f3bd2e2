"""The portal's own pages that a link may lead to. It is a list: no address from outside is ever followed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple


class OwnPage(NamedTuple):
    """A page, and the code of the link that it has by itself."""

    path: str
    label: str
    code: str | None = None


Source = Callable[[], Iterable[OwnPage]]
_sources: dict[str, Source] = {}


def offer_pages(feature: str, source: Source) -> None:
    """Let a feature name its pages."""
    _sources[feature] = source


def list_pages() -> list[OwnPage]:
    """Every page that a link may lead to."""
    return [page for source in _sources.values() for page in source()]


def find_page(path: str) -> OwnPage | None:
    """The page at exactly that path."""
    return next((page for page in list_pages() if page.path == path), None)
