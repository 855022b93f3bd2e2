"""Static files: read and compressed once by each process, to be kept by browsers until their content changes.

There is nothing to build: a file that has changed is read anew.
"""

from __future__ import annotations

import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from flask import Flask, abort, current_app, request, url_for
from werkzeug import Response
from werkzeug.security import safe_join

from portal.core.kept import kept
from portal.core.public import Ready, get_ready

YEAR = 365 * 24 * 3600  # seconds


class StaticFile(NamedTuple):
    """A file as it is sent, and the version that its address names."""

    version: str
    ready: Ready


def init_app(app: Flask) -> None:
    app.view_functions["static"] = send_static
    app.jinja_env.globals["static_url"] = static_url


@kept
def static_url(name: str) -> str:
    """Address of a static file that changes with its content, so that browsers may keep it for a year."""
    file = find_static(name)
    assert file is not None, f"there is no static file {name}"
    return url_for("static", filename=name, v=file.version)


def send_static(filename: str) -> Response:
    """The file; for good, where the address names the version that it has.

    While the portal is renewed, an old process may be asked for a file of the new ones: that is kept by nobody.
    """
    file = find_static(filename) or abort(404)
    return file.ready.send(
        f"public, max-age={YEAR}, immutable" if request.args.get("v") == file.version else "no-cache"
    )


def find_static(name: str) -> StaticFile | None:
    """The file of that name within static/, if there is one."""
    path = safe_join(str(current_app.static_folder), name)
    try:
        return _read(Path(path), Path(path).stat().st_mtime_ns) if path else None
    except (OSError, ValueError):  # ValueError: a name with a NUL in it
        return None


@lru_cache(maxsize=256)
def _read(file: Path, _modified: int) -> StaticFile:
    body, mimetype = file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    charset = "; charset=utf-8" if mimetype.startswith("text/") else ""
    return StaticFile(hashlib.sha256(body).hexdigest()[:12], get_ready(body, mimetype + charset))
