"""`/desk/visit/<id>/link`: the link that opens a visit, ended or sent anew, such as when a mail went astray."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import desk, links
from portal.booking.links import NotRenewable
from portal.frontdesk.acting import visit_or_404

blueprint = Blueprint("visit_link", __name__, url_prefix="/desk/visit/<uuid:appointment_id>/link")


@blueprint.post("/renew")
def renew(appointment_id: UUID) -> AnyResponse:
    visit_or_404(appointment_id).patient.erased_at is None or abort(404)
    try:
        mailed = links.renew(appointment_id)
    except NotRenewable:
        flash("Nothing was done: this visit is cancelled or long over, and no new link would open it.")
        return _back(appointment_id)
    flash(
        "The old link is dead, and a new one is on its way by mail."
        if mailed
        else "The old link is dead. There is no e-mail address to send the new one to."
    )
    return _back(appointment_id)


@blueprint.post("/end")
def end(appointment_id: UUID) -> AnyResponse:
    visit_or_404(appointment_id)
    desk.end_link(appointment_id)
    flash("The link is dead: nobody can open this visit by it any more.")
    return _back(appointment_id)


def _back(appointment_id: UUID) -> AnyResponse:
    return redirect(url_for("frontdesk.show_visit", appointment_id=appointment_id), 303)
