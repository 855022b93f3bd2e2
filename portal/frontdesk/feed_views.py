"""`/desk/feeds`: the addresses of the clinicians' calendars. Each is shown once, when it is made."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import feed
from portal.core.forms import BaseForm
from portal.core.htmx import render

blueprint = Blueprint("feeds", __name__, url_prefix="/desk/feeds")


@blueprint.get("")
def list_feeds() -> Response:
    return _render()


@blueprint.post("/<int:provider_id>/renew")
def renew(provider_id: int) -> Response:
    try:
        token = feed.renew(provider_id)
    except LookupError:
        abort(404)
    return _render(made_for=provider_id, address=url_for("interop.show_calendar", token=token, _external=True))


@blueprint.post("/<int:provider_id>/revoke")
def revoke(provider_id: int) -> AnyResponse:
    try:
        feed.revoke(provider_id)
    except LookupError:
        abort(404)
    return redirect(url_for(".list_feeds"), 303)


def _render(made_for: int | None = None, address: str | None = None) -> Response:
    return render(
        "frontdesk/feeds.html",
        feeds=feed.list_feeds(),
        form=BaseForm(formdata=None),
        made_for=made_for,
        address=address,
    )
