"""`/visit/<token>`: one visit, for whoever holds its link. Nothing happens on GET."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import calendar, queries, services
from portal.booking.forms import CancelForm
from portal.booking.models import Appointment, Status
from portal.booking.services import TooLate
from portal.core import clock
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.scheduling.services import SlotTaken

blueprint = Blueprint("visit", __name__, url_prefix="/visit/<token>")


@blueprint.after_request
def keep_link_secret(response: Response) -> Response:
    """The address is the key: it must not leave with a referrer."""
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("")
def show_visit(token: str) -> Response:
    return _render_visit(_find(token), token)


@blueprint.get("/calendar.ics")
def download_calendar(token: str) -> Response:
    appointment = _find(token)
    if not appointment.takes_slot:
        abort(404)
    response = make_response(calendar.build_entry(appointment, calendar.PUBLISH))
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


@blueprint.get("/cancel")
def choose_cancel(token: str) -> AnyResponse:
    appointment = _find(token)
    if not _can_change(appointment):
        return redirect(url_for(".show_visit", token=token), 303)
    return _render_cancel(appointment, token, CancelForm())


@blueprint.post("/cancel")
def cancel(token: str) -> AnyResponse:
    appointment = _find(token)
    form = CancelForm()
    if not form.validate():
        return _render_cancel(appointment, token, form, status=422)
    if form.choice.data == "keep" or form.confirmed.data == "no":
        return _render_visit(appointment, token, outcome="kept")
    if form.confirmed.data != "yes":
        return render("booking/cancel_confirm.html", appointment=appointment, token=token, form=form)
    try:
        services.cancel(appointment.id, form.choice.data)
    except TooLate:
        return _render_visit(_find(token), token, outcome="unavailable", status=409)
    return redirect(url_for(".show_visit", token=token), 303)


@blueprint.post("/undo")
def undo_cancel(token: str) -> AnyResponse:
    appointment = _find(token)
    try:
        services.undo_cancel(appointment.id)
    except SlotTaken:
        return _render_visit(_find(token), token, outcome="taken", status=409)
    except TooLate:
        return _render_visit(_find(token), token, outcome="unavailable", status=409)
    return redirect(url_for(".show_visit", token=token), 303)


def _find(token: str) -> Appointment:
    return queries.find_by_token(token) or abort(404)


def _can_change(appointment: Appointment) -> bool:
    return appointment.status == Status.BOOKED and appointment.slot.starts_at > clock.now()


def _render_visit(appointment: Appointment, token: str, outcome: str | None = None, status: int = 200) -> Response:
    return render(
        "booking/visit.html",
        status=status,
        appointment=appointment,
        slot=appointment.slot,
        token=token,
        can_change=_can_change(appointment),
        can_undo=appointment.status == Status.CANCELLED and appointment.slot.starts_at > clock.now(),
        form=BaseForm(formdata=None),
        outcome=outcome or ("cancelled" if appointment.status == Status.CANCELLED else "booked"),
        reference=appointment.reference,
    )


def _render_cancel(appointment: Appointment, token: str, form: CancelForm, status: int = 200) -> Response:
    return render(
        "booking/cancel.html",
        status=status,
        appointment=appointment,
        token=token,
        form=form,
        outcome="invalid" if status == 422 else None,
    )
