"""`/r/<code>`: from a printed or sent link to a clean address."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug import Response

from portal.core.forms import clean
from portal.referrals import journeys, services

blueprint = Blueprint("referrals", __name__)


@blueprint.get("/r/<code>")
def follow_link(code: str) -> Response:
    """Start a journey and go where the link leads; a code that leads nowhere shows the home page.

    A program that asks only for the headers is no person and starts nothing.
    """
    followed = None if request.method == "HEAD" else services.follow_link(clean(code).lower(), journeys.current())
    if followed is None:
        return redirect(url_for("home.show_home"), 303)
    destination, journey_id = followed
    journeys.remember(journey_id)
    return redirect(destination, 303)
