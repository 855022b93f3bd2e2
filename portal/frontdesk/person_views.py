"""`/desk/patients/<id>/…`: a person's data handed over, held for a court, or erased; for managers."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.booking import erasure, holds, people, person
from portal.booking.erasure import HasVisitToCome, NewsUnsent, NotErasable
from portal.booking.models import Patient
from portal.booking.person_export import export_person
from portal.core.htmx import render
from portal.frontdesk import services
from portal.frontdesk.acting import get_staff_id
from portal.frontdesk.patient_views import render_patient
from portal.frontdesk.person_forms import EraseForm, HoldForm

blueprint = Blueprint("person", __name__, url_prefix="/desk/patients/<uuid:patient_id>")


@blueprint.post("/export")
def export(patient_id: UUID) -> Response:
    """Everything about the person as one file."""
    patient = _patient_or_404(patient_id)
    response = Response(export_person(patient.id), mimetype="application/zip")
    response.headers["Content-Disposition"] = f'attachment; filename="person-{patient.id.hex[:8]}.zip"'
    return response


@blueprint.post("/hold")
def set_hold(patient_id: UUID) -> AnyResponse:
    return _change_hold(patient_id, holds.set_hold)


@blueprint.post("/hold/lift")
def lift_hold(patient_id: UUID) -> AnyResponse:
    return _change_hold(patient_id, holds.lift_hold)


@blueprint.get("/erase")
def ask_erase(patient_id: UUID) -> AnyResponse:
    return _render_erase(_patient_or_404(patient_id), EraseForm(formdata=None))


@blueprint.post("/erase")
def erase(patient_id: UUID) -> AnyResponse:
    """The first time the reason is taken down and what goes is shown once more, the second time it is done."""
    patient, form = _patient_or_404(patient_id), EraseForm()
    if not form.validate():
        return _render_erase(patient, form, 422)
    if form.confirmed.data != "yes":
        return _render_erase(patient, form, asking=True)
    try:
        erasure.erase(patient_id, form.reason.data)
    except NotErasable:
        return _render_erase(patient, form, 409)
    flash("The person has been erased. Backups made before still hold it until they go.")
    return _back(patient_id)


def _change_hold(patient_id: UUID, change: Callable[[UUID, str, int], object]) -> AnyResponse:
    patient, form = _patient_or_404(patient_id), HoldForm()
    if not form.validate():
        return render_patient(patient, hold_form=form, status=422)
    change(patient_id, form.reason.data, get_staff_id())
    return _back(patient_id)


def _render_erase(patient: Patient, form: EraseForm, status: int = 200, asking: bool = False) -> Response:
    services.record_patient_seen(patient.id)
    found = person.gather(patient.id)
    try:
        erasure.check_erasable(found)
        stops = None
    except HasVisitToCome:
        stops = "visit"
    except NewsUnsent:
        stops = "mail"
    except NotErasable:
        stops = "hold"
    return render(
        "frontdesk/erase.html",
        status=status,
        patient=patient,
        form=form,
        found=found,
        stops=stops,
        asking=asking and stops is None,
        outcome="invalid" if status == 422 else None,
    )


def _patient_or_404(patient_id: UUID) -> Patient:
    """A record that stands for somebody: a merged one is dealt with where it went."""
    patient = people.get_patient(patient_id) or abort(404)
    standing = patient.merged_into_id is None and (patient.erased_at is None or request.method == "GET")
    return patient if standing else abort(404)


def _back(patient_id: UUID) -> AnyResponse:
    return redirect(url_for("patients.show_patient", patient_id=patient_id, _anchor="data"), 303)
