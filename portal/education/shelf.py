"""Where the running portal keeps its library: read at start, read again in development when a file changes."""

from __future__ import annotations

from pathlib import Path

from flask import current_app

from portal.config import current_settings
from portal.education.library import Library
from portal.education.loading import CONTENT, load_library
from portal.education.search import SearchIndex


class Shelf:
    """The library and its search index."""

    def __init__(self, content: Path = CONTENT) -> None:
        self._content = content
        self._stamp = self._newest()
        self.library = load_library(content)
        self._index: SearchIndex | None = None

    @property
    def index(self) -> SearchIndex:
        """The search index, built when somebody first searches."""
        if self._index is None:
            self._index = SearchIndex(self.library)
        return self._index

    def look_again(self) -> None:
        """Read the files again if one has changed. Raises ContentError for a mistake in one."""
        stamp = self._newest()
        if stamp != self._stamp:
            self.library, self._index, self._stamp = load_library(self._content), None, stamp

    def _newest(self) -> float:
        return max(file.stat().st_mtime for file in self._content.rglob("*") if file.is_file())


def get_shelf() -> Shelf:
    """The shelf of the running portal."""
    shelf: Shelf = current_app.extensions["portal.shelf"]
    if not current_settings().production:
        shelf.look_again()
    return shelf


def get_library() -> Library:
    """Everything there is to read."""
    return get_shelf().library
