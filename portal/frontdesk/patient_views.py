"""`/desk/patients/`: one person's page, and two records that are one person."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.accounts.queries import name_staff
from portal.booking import holds, patients, people
from portal.booking.models import Patient
from portal.booking.patients import CONTACT, MergedMeanwhile, NotMergeable
from portal.booking.queries import find_likely_same
from portal.core.edits import ChangedMeanwhile
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.frontdesk import services
from portal.frontdesk.acting import get_staff_id
from portal.frontdesk.caller_forms import MergeForm, PatientForm
from portal.frontdesk.person_forms import HoldForm
from portal.frontdesk.seen_form import Difference
from portal.scheduling.queries import get_zone

blueprint = Blueprint("patients", __name__, url_prefix="/desk/patients")


@blueprint.get("/<uuid:patient_id>")
def show_patient(patient_id: UUID) -> AnyResponse:
    """The person's page; a record that was merged leads to the one that stands for it."""
    patient = _patient_or_404(patient_id)
    if patient.merged_into_id is not None:
        return redirect(url_for(".show_patient", patient_id=patient.merged_into_id), 303)
    return render_patient(patient)


@blueprint.post("/<uuid:patient_id>")
def change_contact(patient_id: UUID) -> AnyResponse:
    patient = _living_or_404(patient_id)
    form = PatientForm()
    if not form.validate():
        return render_patient(patient, form, status=422)
    details = form.details(form.reach_by.data)
    try:
        patients.change_contact(patient_id, details, form.read_seen() or {})
    except LookupError:  # erased since
        abort(404)
    except MergedMeanwhile:
        flash("Nothing was saved: this record was merged into another in the meantime, which is shown here.")
    except ChangedMeanwhile as error:
        return render_patient(patient, form, status=409, differences=form.take_over(error.stored, details.to_json()))
    return redirect(url_for(".show_patient", patient_id=patient_id), 303)


@blueprint.get("/<uuid:patient_id>/merge/<uuid:other_id>")
def compare(patient_id: UUID, other_id: UUID) -> AnyResponse:
    """Two records side by side, before anything is done."""
    kept, merged = _living_or_404(patient_id), _living_or_404(other_id)
    if kept is merged or kept.merged_into_id or merged.merged_into_id:
        return redirect(url_for(".show_patient", patient_id=patient_id), 303)
    return _render_merge(kept, merged, MergeForm(formdata=None))


@blueprint.post("/<uuid:patient_id>/merge/<uuid:other_id>")
def merge(patient_id: UUID, other_id: UUID) -> AnyResponse:
    kept, merged = _living_or_404(patient_id), _living_or_404(other_id)
    form = MergeForm()
    if not form.validate():
        return _render_merge(kept, merged, form, 422)
    try:
        with suppress(NotMergeable):  # somebody was faster: the page shows what stands now
            patients.merge(patient_id, other_id, form.contact(kept, merged), get_staff_id())
    except LookupError:  # erased since
        abort(404)
    return redirect(url_for(".show_patient", patient_id=patient_id), 303)


@blueprint.post("/<uuid:patient_id>/undo-merge/<uuid:merge_id>")
def undo_merge(patient_id: UUID, merge_id: UUID) -> AnyResponse:
    _patient_or_404(patient_id)
    try:
        patients.undo_merge(merge_id)
    except LookupError:
        abort(404)
    except MergedMeanwhile:
        flash("Nothing was undone: that record was itself merged into another one since. Undo the later merge first.")
    return redirect(url_for(".show_patient", patient_id=patient_id), 303)


def _patient_or_404(patient_id: UUID) -> Patient:
    return people.get_patient(patient_id) or abort(404)


def _living_or_404(patient_id: UUID) -> Patient:
    """The record, unless it was erased: nothing can be done with it any more."""
    patient = _patient_or_404(patient_id)
    return patient if patient.erased_at is None else abort(404)


def render_patient(
    patient: Patient,
    form: PatientForm | None = None,
    hold_form: HoldForm | None = None,
    status: int = 200,
    differences: list[Difference] | None = None,
) -> Response:
    """The person's page, with what is wrong in a form that was sent, or what somebody else has changed since."""
    services.record_patient_seen(patient.id)
    if form is None:
        form = PatientForm(formdata=None)
        form.fill_in(patient)
    found = holds.list_holds(patient.id)
    return render(
        "frontdesk/patient.html",
        status=status,
        patient=patient,
        form=form,
        differences=differences,
        visits=people.list_visits_of(patient.id),
        likely_same=find_likely_same(patient),
        merges=people.list_merges(patient.id),
        button=BaseForm(formdata=None),
        holds=found,
        held=next((hold for hold in found if hold.lifted_at is None), None),
        names=name_staff({hold.set_by for hold in found} | {hold.lifted_by for hold in found if hold.lifted_by}),
        hold_form=hold_form or HoldForm(formdata=None),
        zone=get_zone(),
    )


def _render_merge(kept: Patient, merged: Patient, form: MergeForm, status: int = 200) -> Response:
    for record in (kept, merged):
        services.record_patient_seen(record.id)
    return render(
        "frontdesk/merge.html",
        status=status,
        kept=kept,
        merged=merged,
        form=form,
        fields=[form[name] for name in CONTACT],
        visits={record.id: people.list_visits_of(record.id) for record in (kept, merged)},
        doubled=patients.find_doubled(kept, merged),
    )
