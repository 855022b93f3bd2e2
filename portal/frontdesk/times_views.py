"""`/desk/times`: free times blocked and opened by hand, from the board or as a range."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, Response, flash, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.core.htmx import render
from portal.core.numbers import read_number
from portal.core.pages import date_in_words
from portal.frontdesk.confirming import is_confirmed
from portal.frontdesk.day_views import day_or_404, render_times
from portal.frontdesk.forms import BlockForm, ExtraForm
from portal.frontdesk.queries import get_today
from portal.frontdesk.words import extra_in_words, times_in_words
from portal.scheduling import changes, queries, ranges
from portal.scheduling.remake import Changes

MOST_AT_ONCE = 200

blueprint = Blueprint("times", __name__, url_prefix="/desk/times")


@blueprint.post("/change")
def change() -> AnyResponse:
    """Block the times that were ticked on the board, or offer them again; what is not complete stays as it was."""
    ticked = map(read_number, request.form.getlist("slot")[:MOST_AT_ONCE])
    slot_ids = [number for number in ticked if number is not None]
    form = BlockForm()
    day = day_or_404((form.day.data or get_today()).isoformat())
    if slot_ids and "open" in request.form:
        _flash_opened(*ranges.unblock(slot_ids))
    elif slot_ids and form.validate():
        blocked = ranges.block(slot_ids, form.reason.data).withdrawn
        flash(f"{times_in_words(blocked)} blocked: {form.reason.data}.")
    else:
        if not slot_ids:
            flash("Tick the times first.")
        return render_times(day, form, frozenset(slot_ids), 422)
    return redirect(url_for("frontdesk.show_day", day=day, times=1), 303)


@blueprint.get("/open")
def ask_open() -> Response:
    """Times of one day besides those of the week's plan."""
    return _render_open(_extra_form())


@blueprint.post("/open")
def open_extra() -> AnyResponse:
    """Shown first, then made."""
    form = _extra_form()
    if not form.validate():
        return _render_open(form, status=422)
    if not is_confirmed(form):
        return _render_open(form, preview=changes.preview(lambda: changes.save_availability(form.availability())))
    flash(f"{times_in_words(changes.save_availability(form.availability()).made)} opened.")
    return redirect(url_for("frontdesk.show_day", day=form.day.data.isoformat()), 303)


def _flash_opened(done: Changes, standing: list[str]) -> None:
    flash(f"{done.made} {'time is' if done.made == 1 else 'times are'} offered again.")
    if standing:
        flash(f"Still closed: {', '.join(standing)}. Change that under Closures or Availability.")


def _extra_form() -> ExtraForm:
    form = ExtraForm()
    form.offer(
        provider=queries.list_providers(), location=queries.list_locations(), visit_type=queries.list_visit_types()
    )
    return form


def _render_open(form: ExtraForm, preview: Changes | None = None, status: int = 200) -> Response:
    expected = _expect(preview, form.day.data) if preview else None
    return render("frontdesk/open_times.html", status=status, form=form, preview=preview, expected=expected)


def _expect(preview: Changes, day: date) -> str:
    """What would be opened on that day, in words, and why nothing would."""
    if preview != Changes():
        return extra_in_words(preview)
    last = get_today() + timedelta(weeks=queries.get_clinic().horizon_weeks)
    why = "they stand there already, have passed, or are too short for this visit"
    if day > last:
        why = f"the diary is open until {date_in_words(last)}, and this is later"
    return f"{extra_in_words(preview)}: {why}"
