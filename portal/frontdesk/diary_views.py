"""`/desk/closures`, `/desk/availability`: what the diary offers. Each change is shown before it is made."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.booking.queries import find_appointments_in
from portal.core.htmx import render
from portal.frontdesk.forms import AvailabilityForm, ClosureForm, EndForm
from portal.scheduling import changes, queries
from portal.scheduling.models import Closure
from portal.scheduling.remake import Changes

blueprint = Blueprint("diary", __name__, url_prefix="/desk")


@blueprint.get("/closures")
def list_closures() -> Response:
    return _render_closures(_closure_form())


@blueprint.post("/closures")
def close() -> AnyResponse:
    form = _closure_form()
    if not form.validate():
        return _render_closures(form, status=422)
    if "confirmed" in request.form:
        changes.close(form.closure())
        return redirect(url_for(".list_closures"), 303)
    closure = form.closure()
    hits = _visits_hit(closure)
    return _render_closures(form, preview=changes.preview(lambda: changes.close(form.closure())), hits=hits)


@blueprint.post("/closures/<int:closure_id>/reopen")
def reopen(closure_id: int) -> AnyResponse:
    try:
        changes.reopen(closure_id)
    except LookupError:
        abort(404)
    return redirect(url_for(".list_closures"), 303)


@blueprint.get("/availability")
def list_availability() -> Response:
    return _render_availability(_availability_form())


@blueprint.post("/availability")
def add_availability() -> AnyResponse:
    form = _availability_form()
    if not form.validate():
        return _render_availability(form, status=422)
    if "confirmed" in request.form:
        changes.save_availability(form.availability())
        return redirect(url_for(".list_availability"), 303)
    preview = changes.preview(lambda: changes.save_availability(form.availability()))
    return _render_availability(form, preview=preview)


@blueprint.post("/availability/<int:availability_id>/end")
def end_availability(availability_id: int) -> AnyResponse:
    form = EndForm()
    if not form.validate():
        return _render_availability(_availability_form(formdata=None), ending=form, status=422)
    try:
        changes.end_availability(availability_id, form.last.data)
    except LookupError:
        abort(404)
    return redirect(url_for(".list_availability"), 303)


def _closure_form() -> ClosureForm:
    form = ClosureForm()
    form.offer(provider=queries.list_providers(), location=queries.list_locations())
    return form


def _visits_hit(closure: Closure) -> list[object]:
    """The visits that stand in a closed time, soonest first: the desk finds each of them another one."""
    slots = queries.find_slots_hit(closure)
    visits = find_appointments_in([slot.id for slot in slots])
    return [visit for slot in slots for visit in visits.get(slot.id, []) if visit.takes_slot]


def _render_closures(
    form: ClosureForm, preview: Changes | None = None, hits: list[object] | None = None, status: int = 200
) -> Response:
    return render(
        "frontdesk/closures.html",
        status=status,
        form=form,
        closures=[(closure, _visits_hit(closure)) for closure in queries.list_closures()],
        preview=preview,
        hits=hits,
    )


def _availability_form(**options: None) -> AvailabilityForm:
    form = AvailabilityForm(**options)
    form.offer(
        provider=queries.list_providers(), location=queries.list_locations(), visit_type=queries.list_visit_types()
    )
    return form


def _render_availability(
    form: AvailabilityForm, preview: Changes | None = None, ending: EndForm | None = None, status: int = 200
) -> Response:
    return render(
        "frontdesk/availability.html",
        status=status,
        form=form,
        rows=queries.list_availability(),
        preview=preview,
        ending=ending or EndForm(formdata=None),
    )
