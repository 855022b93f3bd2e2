"""`/desk/`: what staff see."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment.signoff import get_sign_off
from portal.booking.forms import parse_date
from portal.booking.queries import get_appointment
from portal.core.htmx import render
from portal.frontdesk import queries, services
from portal.notifications.queries import list_mail_of

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
        mails=list_mail_of(appointment_id),
    )


def _day_or_404(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    return day if 2000 <= day.year <= 2100 else abort(404)
