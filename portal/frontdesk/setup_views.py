"""`/desk/setup/`: the clinic, its places, clinicians and types of visit. What changes the diary is shown first."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug import Response as AnyResponse

from portal.accounts.services import StaffRole
from portal.booking.queries import count_visits_to_come
from portal.core.edits import ChangedMeanwhile, Values, find_changes
from portal.core.errors import Explanation, explain
from portal.core.htmx import render
from portal.frontdesk import guide
from portal.frontdesk.confirming import is_confirmed
from portal.frontdesk.history import write_history
from portal.frontdesk.setup_forms import ClinicForm, EntryForm, LocationForm, ProviderForm, VisitTypeForm
from portal.scheduling import changes, editing, queries
from portal.scheduling.editing import CodeTaken
from portal.scheduling.models import Location, Provider, VisitType
from portal.scheduling.queries import NoClinic
from portal.scheduling.remake import Changes, describe_done

blueprint = Blueprint("setup", __name__, url_prefix="/desk/setup")

NOT_YET = Explanation(
    "This portal is being set up",
    "The clinic is not entered yet. In the meantime, reach it as you did before.",
    "unavailable",
)


class Section(NamedTuple):
    """A kind of which the clinic has several."""

    slug: str
    model: type[Location] | type[Provider] | type[VisitType]
    form: type[EntryForm]
    title: str
    one: str
    used_for: str


SECTIONS = {
    section.slug: section
    for section in (
        Section("places", Location, LocationForm, "Places", "place", "Where people are seen, and by which clocks."),
        Section("clinicians", Provider, ProviderForm, "Clinicians", "clinician", "Who sees patients."),
        Section(
            "visit-types", VisitType, VisitTypeForm, "Types of visit", "type of visit", "How long, and who may book it."
        ),
    )
}
ONE_SECTION = '/<any("places", "clinicians", "visit-types"):section>'


def explain_no_clinic(_error: Exception) -> AnyResponse:
    """A page that needs a clinic: a manager goes to the guide, everybody else is told."""
    if request.path.startswith("/desk") and current_user.has_role(StaffRole.MANAGER.value):
        return redirect(url_for("setup.show_setup"), 303)
    return explain(NOT_YET, 503)


@blueprint.get("/")
def show_setup() -> Response:
    steps = guide.list_steps()
    return render(
        "frontdesk/setup/overview.html",
        steps=steps,
        next_step=next((step for step in steps if not step.done), None),
        guided=not guide.is_complete(),
        sections=[(section, editing.list_rows(section.model)) for section in SECTIONS.values()],
        availability=queries.list_availability(),
        closures=queries.list_closures(),
    )


@blueprint.get("/clinic")
def show_clinic() -> Response:
    return _render_clinic(ClinicForm.showing(_clinic_values()))


@blueprint.post("/clinic")
def save_clinic() -> AnyResponse:
    form = ClinicForm.showing(_clinic_values())
    if not form.validate():
        return _render_clinic(form, status=422)
    return _save(form, _render_clinic, url_for(".show_setup"))


@blueprint.get(ONE_SECTION)
def list_entries(section: str) -> Response:
    queries.get_clinic()
    return _render_list(SECTIONS[section], _form(SECTIONS[section]))


@blueprint.post(ONE_SECTION)
def add_entry(section: str) -> AnyResponse:
    kind = SECTIONS[section]
    form = _form(kind)

    def show(form: EntryForm, status: int = 200, **_context: Any) -> Response:
        return _render_list(kind, form, status)

    if not form.validate():
        return show(form, 422)
    return _save(form, show, url_for(".list_entries", section=section))


@blueprint.get(f"{ONE_SECTION}/<code>")
def show_entry(section: str, code: str) -> Response:
    kind = SECTIONS[section]
    row = editing.find_row(kind.model, code) or abort(404)
    return _render_entry(kind, row, _form(kind, row))


@blueprint.post(f"{ONE_SECTION}/<code>")
def save_entry(section: str, code: str) -> AnyResponse:
    kind = SECTIONS[section]
    row = editing.find_row(kind.model, code) or abort(404)
    form = _form(kind, row)

    def show(form: EntryForm, status: int = 200, **context: Any) -> Response:
        return _render_entry(kind, row, form, status, **context)

    if not form.validate() or not _keeps_promises(form, row):
        return show(form, 422)
    return _save(form, show, url_for(".list_entries", section=section))


def _save(form: EntryForm, show: Any, after: str) -> AnyResponse:
    """Show what changes in the diary, and store it once that is confirmed; what somebody else changed comes first."""
    seen, was_complete = form.read_seen(), guide.is_complete()
    try:
        if editing.shapes_diary(form.entry, seen) and not is_confirmed(form):
            preview = changes.preview(lambda: editing.save_entry(form.entry, seen))
            if preview != Changes():
                return show(form, preview=preview)  # type: ignore[no-any-return]
        done = editing.save_entry(form.entry, seen)
    except ChangedMeanwhile as error:
        differences = form.take_over(error.stored, form.entry.model_dump(mode="json"))
        return show(form, 409, differences=differences)  # type: ignore[no-any-return]
    except CodeTaken:
        form["code"].errors = ["There is one with this code already: write another."]
        return show(form, 422)  # type: ignore[no-any-return]
    flash("Saved." if done == Changes() else f"Saved: {describe_done(done)}.")
    return redirect(after if was_complete else url_for(".show_setup"), 303)


def _keeps_promises(form: EntryForm, row: Any) -> bool:
    """Whether visits stay what their patients were told: a type with visits to come keeps how people meet."""
    changed = find_changes(editing.read_values(row), form.entry.model_dump(mode="json"))
    count = count_visits_to_come(row.id) if isinstance(row, VisitType) and "mode" in changed else 0
    if count:
        form["mode"].errors = [f"Visits of this type are still to come ({count}): add a new type instead."]
    return count == 0


def _form(section: Section, row: Any | None = None) -> EntryForm:
    form = section.form.showing(editing.read_values(row) if row is not None else None)
    if isinstance(form, VisitTypeForm):
        kept = queries.list_types_of(row.switch_to) if isinstance(row, VisitType) else ()
        form.offer_switches([*queries.list_visit_types(), *(t for t in kept if not t.active)])
    return form


def _clinic_values() -> Values | None:
    try:
        return editing.read_values(queries.get_clinic())
    except NoClinic:
        return None


def _render_clinic(form: EntryForm, status: int = 200, **context: Any) -> Response:
    return _render_edit(form, "clinic:1", status, title="The clinic", action=url_for(".save_clinic"), **context)


def _render_entry(section: Section, row: Any, form: EntryForm, status: int = 200, **context: Any) -> Response:
    action = url_for(".save_entry", section=section.slug, code=row.code)
    subject = f"{row.__tablename__}:{row.id}"
    return _render_edit(form, subject, status, title=row.name, action=action, section=section, **context)


def _render_edit(form: EntryForm, subject: str, status: int, **context: Any) -> Response:
    history = write_history(subject, form)
    return render(
        "frontdesk/setup/edit.html", status=status, form=form, history=history, zone=queries.get_zone(), **context
    )


def _render_list(section: Section, form: EntryForm, status: int = 200) -> Response:
    rows = editing.list_rows(section.model)
    return render("frontdesk/setup/list.html", status=status, section=section, rows=rows, form=form)
