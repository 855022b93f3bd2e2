"""What staff were refused, for the audit trail: pages that are not theirs, and things that look as if they were not."""

from __future__ import annotations

from flask import Flask, Response, request
from flask_login import current_user

from portal.access import POLICIES
from portal.frontdesk import services

REFUSED = {403: "refused", 404: "not-found"}


def init_app(app: Flask) -> None:
    app.after_request(note_refusal)


def note_refusal(response: Response) -> Response:
    """Note that somebody who is signed in asked for what is not theirs, or for a thing that is not there.

    Both look alike to who asks; here they are told apart by the number, which the trail's reader can look up.
    """
    action = REFUSED.get(response.status_code)
    if action is None or not POLICIES.get(request.endpoint or "") or not current_user.is_authenticated:
        return response
    asked = [str(value) for value in (request.view_args or {}).values()]
    if action == "refused" or asked:
        services.record_refused(action, " ".join(asked))
    return response
