"""`/desk/closures`, `/desk/availability`: what the diary offers. Each change is shown before it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking.models import Appointment
from portal.booking.queries import find_appointments_in
from portal.core import clock
from portal.core.edits import ChangedMeanwhile, Values
from portal.core.htmx import render
from portal.frontdesk import guide, services
from portal.frontdesk.confirming import is_confirmed
from portal.frontdesk.forms import AvailabilityForm, ClosureForm, EndForm
from portal.frontdesk.history import write_history
from portal.frontdesk.seen_form import SeenForm, dump
from portal.scheduling import changes, queries
from portal.scheduling.models import Availability, Closure
from portal.scheduling.remake import Changes, describe_done

blueprint = Blueprint("diary", __name__, url_prefix="/desk")


@blueprint.get("/closures")
def list_closures() -> Response:
    return _render_closures(_closure_form())


@blueprint.post("/closures")
def close() -> AnyResponse:
    form = _closure_form()
    if not form.validate():
        return _render_closures(form, status=422)
    if is_confirmed(form):
        flash(f"Closed: {describe_done(changes.close(form.closure()))}.")
        return redirect(url_for(".list_closures"), 303)
    preview = changes.preview(lambda: changes.close(form.closure()))
    [hits] = _visits_hit([form.closure()])  # afterwards, because what was read before a transaction is read anew
    return _render_closures(form, preview=preview, hits=hits)


@blueprint.post("/closures/<int:closure_id>/reopen")
def reopen(closure_id: int) -> AnyResponse:
    try:
        flash(f"Open again: {describe_done(changes.reopen(closure_id))}.")
    except LookupError:
        flash("Somebody else has opened it again already.")
    return redirect(url_for(".list_closures"), 303)


@blueprint.get("/availability")
def list_availability() -> Response:
    return _render_availability(_offered(AvailabilityForm()))


@blueprint.post("/availability")
def add_availability() -> AnyResponse:
    form = _offered(AvailabilityForm())
    if not form.validate():
        return _render_availability(form, status=422)
    if is_confirmed(form):
        was_complete = guide.is_complete()
        flash(f"Offered: {describe_done(changes.save_availability(form.availability()))}.")
        return redirect(url_for(".list_availability") if was_complete else url_for("setup.show_setup"), 303)
    preview = changes.preview(lambda: changes.save_availability(form.availability()))
    return _render_availability(form, preview=preview)


@blueprint.get("/availability/<int:availability_id>")
def show_availability(availability_id: int) -> Response:
    row = queries.get_availability(availability_id) or abort(404)
    return _render_one(row, _offered(AvailabilityForm.showing(row, clock.today(row.location.zone)), row))


@blueprint.post("/availability/<int:availability_id>")
def replace_availability(availability_id: int) -> AnyResponse:
    """Other times from a day on; the old ones end the day before."""
    row = queries.get_availability(availability_id) or abort(404)
    form = _offered(AvailabilityForm(), row)
    if not form.validate():
        return _render_one(row, form, 422)
    return _change(
        form,
        lambda seen: changes.replace_availability(row.id, form.availability(), seen),
        partial(_render_one, row, form),
        "Changed",
    )


@blueprint.post("/availability/<int:availability_id>/end")
def end_availability(availability_id: int) -> AnyResponse:
    """No times after a day any more."""
    row = queries.get_availability(availability_id) or abort(404)
    form = EndForm().about(row)
    show = partial(_render_availability, _offered(AvailabilityForm(formdata=None)), ending=form)
    if not form.validate():
        return show(status=422)
    return _change(form, lambda seen: changes.end_availability(row.id, form.last.data, seen), show, "Ended")


def _change(
    form: SeenForm, change: Callable[[Values], Changes], show: Callable[..., Response], done_word: str
) -> AnyResponse:
    """Make a change of availability once it was shown; before, or where somebody else was faster, show what stands."""
    seen = form.read_seen() or {}
    try:
        if not is_confirmed(form):
            return show(preview=changes.preview(lambda: change(seen)))
        done = change(seen)
    except ChangedMeanwhile as error:
        form.seen.data = dump(error.stored)
        return show(status=409, changed=True)
    flash(f"{done_word}: {describe_done(done)}.")
    return redirect(url_for(".list_availability"), 303)


def _closure_form() -> ClosureForm:
    form = ClosureForm()
    form.offer(provider=queries.list_providers(), location=queries.list_locations())
    return form


def _visits_hit(closures: Sequence[Closure]) -> list[list[Appointment]]:
    """For each closure the visits that stand in it, soonest first: the desk finds each of them another time."""
    hit = queries.find_slots_hit(closures)
    visits = find_appointments_in([slot.id for slots in hit for slot in slots])
    return [[visit for slot in slots for visit in visits.get(slot.id, []) if visit.takes_slot] for slots in hit]


def _render_closures(
    form: ClosureForm, preview: Changes | None = None, hits: list[Appointment] | None = None, status: int = 200
) -> Response:
    closures = queries.list_closures()
    to_move = _visits_hit(closures)
    response = render(
        "frontdesk/closures.html",
        status=status,
        form=form,
        closures=list(zip(closures, to_move, strict=True)),
        to_move=len({visit.id for visits in to_move for visit in visits}),
        past=queries.list_past_closures(),
        preview=preview,
        hits=hits,
    )
    if any(to_move) or hits:
        services.record_list_seen("closures")
    return response


def _offered(form: AvailabilityForm, row: Availability | None = None) -> AvailabilityForm:
    """The form with what there is to choose from, and with what the row has, also where that is no longer in use."""
    form.offer(
        provider=queries.list_providers(), location=queries.list_locations(), visit_type=queries.list_visit_types()
    )
    if row is not None:
        form.offer_retired(provider=row.provider, location=row.location, visit_type=row.visit_type)
    return form


def _render_availability(
    form: AvailabilityForm, ending: EndForm | None = None, status: int = 200, **context: Any
) -> Response:
    rows = queries.list_availability()
    endings = [ending if ending and ending.row.id == row.id else EndForm.showing(row) for row in rows]
    return render(
        "frontdesk/availability.html",
        status=status,
        form=form,
        ending=ending,
        endings=endings,
        past=queries.list_past_availability(),
        **context,
    )


def _render_one(row: Availability, form: AvailabilityForm, status: int = 200, **context: Any) -> Response:
    history = write_history(f"availability:{row.id}", form)
    return render(
        "frontdesk/availability_edit.html",
        status=status,
        row=row,
        form=form,
        history=history,
        zone=queries.get_zone(),
        **context,
    )
