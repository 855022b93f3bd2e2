"""What leaves the screen: the day's sheets for each clinician, and visits as a file for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from flask import Blueprint, Response, request

from portal.booking.diary import VisitRow, find_notes, list_visit_rows
from portal.booking.models import TAKE_THE_SLOT
from portal.core.csv_files import send_csv
from portal.core.htmx import render
from portal.core.pages import zone_name
from portal.frontdesk import services
from portal.frontdesk.day_views import day_or_404, wanted_provider_id
from portal.frontdesk.forms import ExportForm
from portal.frontdesk.words import STATES
from portal.scheduling import diary

EXPORTED = (
    "Date,Starts,Ends,Zone,Clinician,Place,Visit,State,Patient,Born,Phone,E-mail,Reference,Lane,Within two weeks,Booked"
)

blueprint = Blueprint("paper", __name__, url_prefix="/desk")


@blueprint.get("/day/<day>/sheet")
def print_sheets(day: str) -> Response:
    """A page for each clinician, or for one, with a line to write on for each visit."""
    shown, provider_id = day_or_404(day), wanted_provider_id()
    services.record_seen(f"sheet:{shown.isoformat()}")
    visits = [
        visit for visit in list_visit_rows(shown, shown, provider_id, contact=True) if visit.status in TAKE_THE_SLOT
    ]
    providers, types = diary.get_lookups()
    sheets = {
        provider: [visit for visit in visits if visit.provider_id == provider.id]
        for provider in providers.values()
        if provider.id in {visit.provider_id for visit in visits}
    }
    return render(
        "frontdesk/sheet.html",
        day=shown,
        sheets=sheets,
        types=types,
        places=diary.get_places(),
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
    providers, types = diary.get_lookups()
    places = diary.get_places()
    for visit in list_visit_rows(first, last, contact=True):
        place = places[visit.location_id]
        begins, ends, booked = (
            moment.astimezone(place.zone) for moment in (visit.starts_at, visit.ends_at, visit.created_at)
        )
        yield [
            visit.day,
            f"{begins:%H:%M}",
            f"{ends:%H:%M}",
            zone_name(begins, place.zone),
            providers[visit.provider_id].name,
            place.name,
            types[visit.visit_type_id].name,
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
