"""What stands between a request and a page: signing in, a second step that is missing, a proof that is not recent."""

from __future__ import annotations

import json

from flask import redirect, request, url_for
from flask_htmx import make_response as make_htmx_response
from werkzeug import Response

from portal.accounts import recent_views
from portal.accounts.addresses import here, way_back
from portal.core.htmx import htmx


def ask_to_sign_in() -> Response:
    """Sign in first; then on to the page that was asked for, or from which something was sent."""
    return _send_to("sign_in.show")


def ask_for_second_step() -> Response:
    """Set up a second step first."""
    return _send_to("second_step.choose")


def ask_to_confirm() -> Response:
    """Show once more who you are; what was typed is kept in the page that asks, and can be sent from it."""
    if request.method == "GET" or htmx:
        return _send_to("recent.ask")
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    return recent_views.render_question(here(), kept=json.dumps(typed), status=401)


def _send_to(endpoint: str) -> Response:
    if htmx:
        address = url_for(endpoint, next=way_back(htmx.current_url))
        response: Response = make_htmx_response("", 401, redirect=address)
        return response
    back = here() if request.method == "GET" else way_back(request.referrer)
    return redirect(url_for(endpoint, next=back))
