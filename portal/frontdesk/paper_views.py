"""What leaves the screen: the day's sheets for each clinician, and visits as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, request

from portal.booking.diary import VisitRow, find_notes, list_file_rows, list_sheet_rows
from portal.booking.models import TAKE_THE_SLOT
from portal.core.csv_files import send_csv
from portal.core.htmx import render
from portal.core.pages import zone_name
from portal.frontdesk import services
from portal.frontdesk.day_views import day_or_404, wanted_provider_id
from portal.frontdesk.forms import ExportForm
from portal.frontdesk.words import STATES
from portal.scheduling import diary
from portal.scheduling.models import Provider

EXPORTED = (
    "Date,Starts,Ends,Zone,Clinician,Place,Visit,State,Patient,Born,Phone,E-mail,Reference,Lane,Within two weeks,Booked"
)

blueprint = Blueprint("paper", __name__, url_prefix="/desk")


@blueprint.get("/day/<day>/sheet")
def print_sheets(day: str) -> Response:
    """A page for each clinician, or for one, with a line to write on for each visit."""
    shown, provider_id = day_or_404(day), wanted_provider_id()
    services.record_seen(f"sheet:{shown.isoformat()}")
    visits = [visit for visit in list_sheet_rows(shown, provider_id) if visit.status in TAKE_THE_SLOT]
    known = diary.get_set_up_of(visits)
    sheets: dict[Provider, list[VisitRow]] = {provider: [] for provider in known.all_providers.values()}
    for visit in visits:
        sheets[known.all_providers[visit.provider_id]].append(visit)
    return render(
        "frontdesk/sheet.html",
        day=shown,
        sheets={provider: own for provider, own in sheets.items() if own},
        types=known.all_types,
        places=known.all_locations,
        notes=find_notes([visit.id for visit in visits]),
    )


@blueprint.get("/export")
def ask_export() -> Response:
    return render("frontdesk/export.html", form=ExportForm(request.args if "from" in request.args else None))


@blueprint.get("/export.csv")
def export_visits() -> Response:
    form = ExportForm(request.args)
    if not form.validate():
        return render("frontdesk/export.html", status=422, form=form)
    first, last = form.since.data, form.until.data
    rows = list(_rows(first, last))
    services.record_exported(first, last, len(rows))
    name = f"visits-{first}" if first == last else f"visits-{first}-to-{last}"
    return send_csv(name, EXPORTED.split(","), rows)


def _rows(first: date, last: date) -> Iterator[list[object]]:
    visits = list_file_rows(first, last)
    known = diary.get_set_up_of(visits)
    for visit in visits:
        place = known.all_locations[visit.location_id]
        begins, ends, booked = (
            moment.astimezone(place.zone) for moment in (visit.starts_at, visit.ends_at, visit.created_at)
        )
        yield [
            visit.day,
            f"{begins:%H:%M}",
            f"{ends:%H:%M}",
            zone_name(begins, place.zone),
            known.all_providers[visit.provider_id].name,
            place.name,
            known.all_types[visit.visit_type_id].name,
            *_patient_cells(visit),
            f"{booked:%Y-%m-%d %H:%M}",
        ]


def _patient_cells(visit: VisitRow) -> list[object]:
    return [
        STATES.get(visit.status, visit.status),
        visit.name,
        visit.date_of_birth,
        visit.phone,
        visit.email,
        visit.reference,
        (visit.lane or "").replace("_", "-"),
        "yes" if visit.prompt else "",
    ]
