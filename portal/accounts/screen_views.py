"""`/desk/lock`, `/desk/here`: a screen that several people use."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug import Response

from portal.accounts import shared_screen

blueprint = Blueprint("screen", __name__, url_prefix="/desk")


@blueprint.post("/lock")
def lock() -> Response:
    """Hide everything until somebody signs in."""
    shared_screen.lock()
    return redirect(url_for("sign_in.show"), 303)


@blueprint.post("/here")
def note_use() -> Response:
    """Somebody is typing: that counts as use, as every request does."""
    return Response(status=204)
