"""`/desk/`: what staff see."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment.brief import Brief
from portal.assessment.brief_views import render_brief, send_brief
from portal.assessment.queries import count_drop_off
from portal.assessment.signoff import get_sign_off
from portal.booking import changes, requests
from portal.booking.changes import TooLate
from portal.booking.forms import parse_date
from portal.booking.models import Appointment, Status
from portal.booking.queries import find_likely_same, get_appointment, list_open_requests
from portal.booking.refer_forms import REASONS
from portal.booking.services import AlreadyBooked
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.frontdesk import queries, services
from portal.frontdesk.forms import AddressForm, OutcomeForm, StaffCancelForm
from portal.notifications.queries import list_mail_about
from portal.scheduling.services import SlotTaken

# What the visit's page says when something could not be done.
WRONG = {
    "reason": "Choose whether the patient or the clinic cancels.",
    "over": "This visit has begun, is over or was changed in the meantime: nothing was done.",
    "taken": "Somebody else has this time by now: nothing was done.",
    "late": "This mail has left already.",
    "address": "This is no e-mail address: nothing was changed.",
}

blueprint = Blueprint("frontdesk", __name__, url_prefix="/desk")


@blueprint.get("/")
def show_today() -> AnyResponse:
    return redirect(url_for(".show_day", day=queries.get_today().isoformat()), 303)


@blueprint.get("/go")
def go_to_day() -> AnyResponse:
    day = parse_date(request.args.get("date", "")) or queries.get_today()
    return redirect(url_for(".show_day", day=day.isoformat()), 303)


@blueprint.get("/day/<day>")
def show_day(day: str) -> Response:
    shown = _day_or_404(day)
    services.record_day_seen(shown)
    board = queries.get_day(shown)
    return render(
        "frontdesk/day.html",
        day=shown,
        today=queries.get_today(),
        before=shown - timedelta(days=1),
        after=shown + timedelta(days=1),
        board=board,
        counts=queries.count_states(board),
        sign_off=get_sign_off(),
    )


@blueprint.get("/visit/<uuid:appointment_id>")
def show_visit(appointment_id: UUID) -> Response:
    appointment = get_appointment(appointment_id) or abort(404)
    services.record_visit_seen(appointment_id)
    return render(
        "frontdesk/visit.html",
        appointment=appointment,
        slot=appointment.slot,
        brief=queries.brief_of(appointment),
        mails=list_mail_about(appointment_id),
        likely_same=find_likely_same(appointment.patient),
        form=BaseForm(),
        address=AddressForm(email=appointment.patient.email),
        wrong=WRONG.get(request.args.get("wrong", "")),
        can_cancel=appointment.status == Status.BOOKED and appointment.slot.starts_at > clock.now(),
        can_undo=changes.can_undo(appointment),
        now=clock.now(),
    )


@blueprint.get("/visit/<uuid:appointment_id>/brief")
def show_brief(appointment_id: UUID) -> Response:
    appointment, brief = _brief_or_404(appointment_id)
    pdf_url = url_for(".download_brief", appointment_id=appointment_id)
    return make_response(render_brief(brief, pdf_url, who=appointment))


@blueprint.get("/visit/<uuid:appointment_id>/brief.pdf")
def download_brief(appointment_id: UUID) -> AnyResponse:
    appointment, brief = _brief_or_404(appointment_id)
    return send_brief(brief, otherwise=url_for(".show_brief", appointment_id=appointment_id), who=appointment)


@blueprint.post("/visit/<uuid:appointment_id>/allow-another")
def allow_another(appointment_id: UUID) -> AnyResponse:
    get_appointment(appointment_id) or abort(404)
    changes.allow_another(appointment_id)
    return redirect(url_for(".show_visit", appointment_id=appointment_id), 303)


@blueprint.post("/visit/<uuid:appointment_id>/cancel")
def cancel_visit(appointment_id: UUID) -> AnyResponse:
    """Cancel for the patient or the clinic; the mail waits three minutes, in which it can be undone unheard."""
    get_appointment(appointment_id) or abort(404)
    form = StaffCancelForm()
    if not form.validate():
        return _to_visit(appointment_id, "reason")
    try:
        changes.cancel_by_staff(appointment_id, form.reason.data)
    except TooLate:
        return _to_visit(appointment_id, "over")
    return _to_visit(appointment_id)


@blueprint.post("/visit/<uuid:appointment_id>/undo")
def undo_cancel(appointment_id: UUID) -> AnyResponse:
    get_appointment(appointment_id) or abort(404)
    try:
        changes.undo_cancel(appointment_id)
    except SlotTaken:
        return _to_visit(appointment_id, "taken")
    except (TooLate, AlreadyBooked):
        return _to_visit(appointment_id, "over")
    return _to_visit(appointment_id)


@blueprint.get("/requests")
def list_requests() -> Response:
    return _render_requests(OutcomeForm())


@blueprint.post("/requests/<uuid:request_id>")
def settle_request(request_id: UUID) -> AnyResponse:
    form = OutcomeForm()
    if not form.validate():
        return _render_requests(form, 422)
    try:
        requests.settle(request_id, form.outcome.data)
    except LookupError:
        abort(404)
    return redirect(url_for(".list_requests"), 303)


@blueprint.get("/drop-off")
def show_drop_off() -> Response:
    return render("frontdesk/drop_off.html", screens=count_drop_off())


def _to_visit(appointment_id: UUID, wrong: str | None = None) -> AnyResponse:
    return redirect(url_for(".show_visit", appointment_id=appointment_id, wrong=wrong), 303)


def _render_requests(form: OutcomeForm, status: int = 200) -> Response:
    return render(
        "frontdesk/requests.html",
        status=status,
        reasons=REASONS,
        requests=[(request, Wishes.from_json(request.wishes)) for request in list_open_requests()],
        form=form,
    )


def _brief_or_404(appointment_id: UUID) -> tuple[Appointment, Brief]:
    appointment = get_appointment(appointment_id) or abort(404)
    brief = queries.brief_of(appointment) or abort(404)
    services.record_visit_seen(appointment_id)
    return appointment, brief


def _day_or_404(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    return day if 2000 <= day.year <= 2100 else abort(404)
