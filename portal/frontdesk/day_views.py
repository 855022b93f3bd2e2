"""`/desk/day/`, `/desk/week/`, `/desk/month/`: the diary as a board, and what of it is refreshed by itself."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from flask import Response, abort, make_response, redirect, request, session, url_for
from werkzeug import Response as AnyResponse

from portal.access import may_use
from portal.accounts.addresses import way_back
from portal.assessment.signoff import get_sign_off
from portal.booking.desk import can_change
from portal.booking.models import Appointment
from portal.core import clock
from portal.core.compression import say_nothing_asked
from portal.core.dates import YEARS, parse_date
from portal.core.headers import may_be_kept
from portal.core.htmx import leave, render
from portal.core.numbers import read_number
from portal.frontdesk import overview, privacy, queries, services
from portal.frontdesk.acting import get_staff_id, visible_provider_id, visit_or_404
from portal.frontdesk.board import get_board
from portal.frontdesk.forms import BlockForm
from portal.frontdesk.lines import Lines
from portal.frontdesk.refresh import unless_known
from portal.frontdesk.scale import write_style_sheet
from portal.frontdesk.views import blueprint as blueprint
from portal.scheduling.queries import get_clinic, get_provider

DAY = timedelta(days=1)
NOBODY = UUID(int=0)
REMEMBERED = 12  # pages whose reading is noted; what refreshes itself is not another one


@dataclass(frozen=True)
class Shown:
    """What of the diary is asked for: of whom, in which order, and for which visit a time is looked for."""

    provider_id: int | None
    by_place: bool
    moving: Appointment | None
    times: bool  # to be ticked, and blocked or opened
    query: dict[str, str]

    def link(self, view: str, **values: Any) -> str:
        """The address of another day, week or month, seen in the same way."""
        query: dict[str, Any] = {**self.query, **values}
        return url_for(f"frontdesk.{view}", **query)


@blueprint.get("/")
def show_today() -> AnyResponse:
    get_clinic()  # without one there is no day to show: the guide comes first
    return redirect(url_for(".show_day", day=queries.get_today().isoformat()), 303)


@blueprint.get("/go")
def go_to_day() -> AnyResponse:
    day = parse_date(request.args.get("date", "")) or queries.get_today()
    kept: dict[str, Any] = {name: request.args[name] for name in ("by", "moving", "clinician") if name in request.args}
    return redirect(url_for(".show_day", day=day.isoformat(), **kept), 303)


@blueprint.get("/day/<day>")
def show_day(day: str) -> Response:
    return unless_known(_render_day(day_or_404(day), _read_query(), BlockForm(formdata=None)))


@blueprint.get("/week/<day>")
def show_week(day: str) -> Response:
    shown, wanted = day_or_404(day), _read_query()
    first = overview.first_of_week(shown)
    _note_reading(f"week:{first.isoformat()}")
    week = overview.get_week(first, wanted.provider_id, wanted.moving)
    response = render(
        "frontdesk/week.html",
        "week",
        **_surroundings(wanted),
        week=week,
        day_at={day: wanted.link("show_day", day=day) for day in week.days},  # hundreds of times lead there
        day=shown,
        today=queries.get_today(),
    )
    return unless_known(response)


@blueprint.get("/month/<month>")
def show_month(month: str) -> Response:
    first, wanted = day_or_404(f"{month}-01"), _read_query()
    kind = wanted.moving.visit_type.kind if wanted.moving else None
    return render(
        "frontdesk/month.html",
        **_surroundings(wanted),
        month=overview.get_month(first, wanted.provider_id, kind),
        today=queries.get_today(),
    )


@blueprint.post("/mask")
def toggle_mask() -> AnyResponse:
    """Let lists show initials in place of names, or names again, and stay on the page."""
    privacy.toggle_mask()
    return redirect(way_back(request.referrer), 303)


@blueprint.get("/scale.css")
def serve_scale() -> Response:
    """The places of the board's rows, the same for everybody."""
    response = make_response(write_style_sheet())
    response.mimetype = "text/css"
    return may_be_kept(response, 24 * 3600)


def render_times(day: date, form: BlockForm, ticked: Set[int], status: int) -> Response:
    """The day with its times to tick, these ticked already, and with what is wrong in the form that was sent."""
    return _render_day(day, Shown(None, False, None, True, {"times": "1"}), form, ticked, status)


def wanted_provider_id() -> int | None:
    """Of which clinician alone the page is to be; a missing page for one whom the signed-in person may not see."""
    own, asked = visible_provider_id(), request.args.get("clinician")
    if not asked:
        return own
    provider_id = read_number(asked) or 0
    if own not in {None, provider_id} or get_provider(provider_id) is None:
        abort(404)
    return provider_id


def _render_day(
    day: date, wanted: Shown, block_form: BlockForm, ticked: Set[int] = frozenset(), status: int = 200
) -> Response:
    _note_reading(f"day:{day.isoformat()}")
    moving_id = wanted.moving.id if wanted.moving else None
    return render(
        "frontdesk/day.html",
        "board",
        status,
        **_surroundings(wanted),
        day=day,
        noon=datetime.combine(day, time(12), UTC),  # when the clocks of a day show the zone that they are in by day
        today=queries.get_today(),
        board=get_board(day, wanted.provider_id, wanted.by_place, wanted.moving, withdrawn=wanted.times),
        lines=Lines(_visit_at(), _book_at(), moving_id, wanted.times, privacy.is_masked(), ticked),
        sign_off=get_sign_off(),
        block_form=block_form,
        outcome=None if status == 200 else "invalid",
    )


def _visit_at() -> str:
    """The address of a visit, but for its id."""
    return url_for("frontdesk.show_visit", appointment_id=NOBODY).removesuffix(str(NOBODY))


def _book_at() -> str | None:
    """Where a free time leads to, but for its number; None for who does not book."""
    return f"{url_for('callers.open_call')}?slot=" if may_use("callers.open_call") else None


def _read_query() -> Shown:
    """What the address asks for; of its words none is repeated that is not known here."""
    say_nothing_asked()
    by_place = request.args.get("by") == "place"
    moving = _read_moving(request.args.get("moving"))
    times = moving is None and "times" in request.args and may_use("times.change")
    provider_id = wanted_provider_id()
    asked = {
        "by": "place" if by_place else None,
        "moving": str(moving.id) if moving else None,
        "times": "1" if times else None,
        "clinician": str(provider_id) if "clinician" in request.args and provider_id else None,
    }
    return Shown(provider_id, by_place, moving, times, {name: value for name, value in asked.items() if value})


def _read_moving(text: str | None) -> Appointment | None:
    """The visit for which a time is looked for; one that cannot be moved is shown instead, and why not."""
    if not text:
        return None
    try:
        visit_id = UUID(text)
    except ValueError:
        abort(404)
    visit = visit_or_404(visit_id)
    if not may_use("visit_actions.move_visit"):
        abort(403)
    if not can_change(visit):
        abort(leave(url_for(".show_visit", appointment_id=visit.id, wrong="state")))
    return visit


def _surroundings(wanted: Shown) -> dict[str, Any]:
    return {
        "wanted": wanted,
        "moving": wanted.moving,
        "move_to": url_for("visit_actions.move_visit", appointment_id=wanted.moving.id) if wanted.moving else None,
        "now": clock.now(),
        "visit_at": _visit_at(),
        "one_day": DAY,
    }


def _note_reading(page: str) -> None:
    """Note for the audit trail that somebody reads this; once, however often the open page refreshes itself."""
    seen, reading = session.get("seen", []), f"{get_staff_id()}:{page}"
    if "poll" not in request.args or reading not in seen:
        services.record_seen(page)
    if reading not in seen:
        session["seen"] = [*seen, reading][-REMEMBERED:]


def day_or_404(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        abort(404)
    return day if day.year in YEARS and len(text) == 10 else abort(404)
