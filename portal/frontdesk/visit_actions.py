"""`/desk/visit/<id>/...`: what staff do to a visit. Each is a plain form; the board sends the same ones by htmx."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import changes, desk
from portal.booking.desk import NotPossible, Outdated, PersonErased
from portal.booking.history import find_as_seen, get_change
from portal.booking.models import Appointment, Status
from portal.booking.services import AlreadyBooked
from portal.core.htmx import htmx, leave, render
from portal.frontdesk.acting import get_staff_id, may_set, may_undo, visit_or_404
from portal.frontdesk.forms import AddressForm
from portal.frontdesk.visit_forms import MoveForm, NoteForm, StaffCancelForm, StatusForm, VisitForm
from portal.frontdesk.visit_page import render_visit
from portal.scheduling.queries import get_slot
from portal.scheduling.services import SlotTaken

blueprint = Blueprint("visit_actions", __name__, url_prefix="/desk")


@blueprint.post("/visit/<uuid:appointment_id>/status")
def set_status(appointment_id: UUID) -> AnyResponse:
    appointment, form = visit_or_404(appointment_id), StatusForm()
    if not form.validate():
        abort(400)
    status = Status(form.status.data)
    if not may_set(status):
        abort(403)
    try:
        if form.words.data:  # kept also where the step cannot be taken
            desk.add_note(appointment_id, form.words.data, get_staff_id())
        desk.set_status(appointment_id, form.version.data, status, get_staff_id())
    except Outdated:
        form.words.data = ""
        return _show_both(appointment_id, form, ".set_status")
    except NotPossible:
        return _to_visit(appointment, wrong="state")
    except PersonErased:
        return _to_visit(appointment, wrong="erased")
    return _back(appointment, form)


@blueprint.post("/visit/<uuid:appointment_id>/move")
def move_visit(appointment_id: UUID) -> AnyResponse:
    appointment, form = visit_or_404(appointment_id), MoveForm()
    if not form.validate():
        abort(400)
    try:
        moved = desk.move(appointment_id, form.version.data, form.slot.data, get_staff_id())
    except Outdated:
        return _show_both(appointment_id, form, ".move_visit")
    except NotPossible:
        return _to_visit(appointment, wrong="kind")
    except SlotTaken:
        return _to_visit(appointment, wrong="gone")
    return _back(moved, form)


@blueprint.post("/visit/<uuid:appointment_id>/cancel")
def cancel_visit(appointment_id: UUID) -> AnyResponse:
    """Cancel; the mail waits three minutes, in which it can be undone unheard."""
    appointment, form = visit_or_404(appointment_id), StaffCancelForm()
    if not form.validate():
        return render_visit(appointment, cancel_form=form, status=422)
    try:
        desk.cancel(appointment_id, form.version.data, form.reason.data, form.words.data, get_staff_id())
    except Outdated:
        return _show_both(appointment_id, form, ".cancel_visit")
    except NotPossible:
        return _to_visit(appointment, wrong="state")
    except PersonErased:
        return _to_visit(appointment, wrong="erased")
    return _back(appointment, form)


@blueprint.post("/visit/<uuid:appointment_id>/note")
def write_note(appointment_id: UUID) -> AnyResponse:
    appointment, form = visit_or_404(appointment_id), NoteForm()
    if not form.validate():
        return render_visit(appointment, note_form=form, status=422)
    try:
        desk.add_note(appointment_id, form.words.data, get_staff_id())
    except PersonErased:
        return _to_visit(appointment, wrong="erased")
    return _to_visit(appointment)


@blueprint.post("/visit/<uuid:appointment_id>/address")
def correct_address(appointment_id: UUID) -> AnyResponse:
    """Another address for the visit's patient; what did not arrive is sent there."""
    appointment, form = visit_or_404(appointment_id), AddressForm()
    if not form.validate():
        return render_visit(appointment, address=form, status=422)
    try:
        changes.correct_address(appointment_id, form.email.data)
    except LookupError:  # the patient was erased in the meantime
        abort(404)
    return _to_visit(appointment)


@blueprint.post("/visit/<uuid:appointment_id>/allow-another")
def allow_another(appointment_id: UUID) -> AnyResponse:
    appointment = visit_or_404(appointment_id)
    changes.allow_another(appointment_id)
    return _to_visit(appointment)


@blueprint.post("/changes/<uuid:change_id>/undo")
def undo(change_id: UUID) -> AnyResponse:
    change = get_change(change_id) or abort(404)
    appointment, form = visit_or_404(change.appointment_id), VisitForm()
    if not may_undo(change):
        abort(403)
    try:
        restored = desk.undo(change_id, get_staff_id())
    except LookupError:
        abort(404)
    except Outdated:
        return _to_visit(appointment, wrong="changed")
    except NotPossible:
        return _to_visit(appointment, wrong="heard")
    except SlotTaken:
        return _to_visit(appointment, wrong="taken")
    except AlreadyBooked:
        return _to_visit(appointment, wrong="other")
    return _back(restored, form)


def _show_both(appointment_id: UUID, form: VisitForm, endpoint: str) -> AnyResponse:
    """What a colleague has made of the visit in the meantime, beside what was looked at; nothing typed is lost."""
    appointment = visit_or_404(appointment_id)
    if htmx.partial:
        return _to_visit(appointment, wrong="changed")
    seen = find_as_seen(appointment, form.version.data)
    return render(
        "frontdesk/changed.html",
        status=409,
        appointment=appointment,
        seen=seen,
        seen_slot=get_slot(int(seen["slot_id"] or 0)) if seen else None,
        action=url_for(endpoint, appointment_id=appointment_id),
        wanted=endpoint.removeprefix("."),
        form=form,
    )


def _back(appointment: Appointment, form: VisitForm) -> AnyResponse:
    if form.back.data == "day":
        return redirect(url_for("frontdesk.show_day", day=appointment.slot.day, _anchor=f"visit-{appointment.id}"), 303)
    return _to_visit(appointment)


def _to_visit(appointment: Appointment, wrong: str | None = None) -> AnyResponse:
    return leave(url_for("frontdesk.show_visit", appointment_id=appointment.id, wrong=wrong))
