"""`/desk/`: what staff see."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, flash, make_response, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.assessment.brief import Brief
from portal.assessment.brief_views import render_brief, send_brief
from portal.assessment.queries import count_drop_off
from portal.booking import requests
from portal.booking.models import Appointment
from portal.booking.queries import list_open_requests, list_settled_requests
from portal.booking.refer_forms import REASONS
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.htmx import render
from portal.frontdesk import queries, services
from portal.frontdesk.acting import visit_or_404
from portal.frontdesk.forms import OUTCOMES, OutcomeForm
from portal.frontdesk.visit_page import render_visit

blueprint = Blueprint("frontdesk", __name__, url_prefix="/desk")


@blueprint.get("/visit/<uuid:appointment_id>")
def show_visit(appointment_id: UUID) -> Response:
    appointment = visit_or_404(appointment_id)
    services.record_visit_seen(appointment_id)
    return render_visit(appointment)


@blueprint.get("/visit/<uuid:appointment_id>/brief")
def show_brief(appointment_id: UUID) -> AnyResponse:
    """The brief; where only the safety question was answered there is none, and the visit says so."""
    appointment, brief = _brief_or_404(appointment_id)
    if brief.safety_only:
        return redirect(url_for(".show_visit", appointment_id=appointment_id))
    pdf_url = url_for(".download_brief", appointment_id=appointment_id)
    return make_response(render_brief(brief, pdf_url, who=appointment))


@blueprint.get("/visit/<uuid:appointment_id>/brief.pdf")
def download_brief(appointment_id: UUID) -> AnyResponse:
    appointment, brief = _brief_or_404(appointment_id)
    return send_brief(brief, otherwise=url_for(".show_brief", appointment_id=appointment_id), who=appointment)


@blueprint.get("/requests")
def list_requests() -> Response:
    services.record_list_seen("requests")
    return _render_requests(OutcomeForm())


@blueprint.post("/requests/<uuid:request_id>")
def settle_request(request_id: UUID) -> AnyResponse:
    form = OutcomeForm()
    if not form.validate():
        return _render_requests(form, 422)
    try:
        if requests.settle(request_id, form.outcome.data):
            flash(f"Noted: {dict(OUTCOMES)[form.outcome.data].lower()}.")
        else:
            flash("This request was settled already. It stands below, and can be put back from there.")
    except LookupError:
        abort(404)
    return redirect(url_for(".list_requests"), 303)


@blueprint.post("/requests/<uuid:request_id>/reopen")
def reopen_request(request_id: UUID) -> AnyResponse:
    try:
        requests.reopen(request_id)
        flash("The request is on the list again.")
    except LookupError:
        abort(404)
    return redirect(url_for(".list_requests"), 303)


@blueprint.get("/drop-off")
def show_drop_off() -> Response:
    return render("frontdesk/drop_off.html", screens=count_drop_off())


def _render_requests(form: OutcomeForm, status: int = 200) -> Response:
    return render(
        "frontdesk/requests.html",
        status=status,
        reasons=REASONS,
        requests=[(request, Wishes.from_json(request.wishes)) for request in list_open_requests()],
        settled=list_settled_requests(clock.now() - timedelta(days=1)),
        outcomes=dict(OUTCOMES),
        form=form,
    )


def _brief_or_404(appointment_id: UUID) -> tuple[Appointment, Brief]:
    appointment = visit_or_404(appointment_id)
    brief = queries.brief_of(appointment) or abort(404)
    services.record_visit_seen(appointment_id)
    return appointment, brief
