"""Free times to choose from, as a list and as a month: for a new visit and for moving one."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache, partial
from itertools import groupby
from operator import attrgetter
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Response, current_app, render_template, request, url_for
from markupsafe import Markup

from portal.assessment.services import Standing
from portal.booking import own_zone, queries, visit_access
from portal.booking.forms import FilterForm
from portal.booking.models import Appointment
from portal.booking.services import LANE_OF_RETURNING
from portal.core import clock
from portal.core.compression import say_nothing_asked
from portal.core.dates import parse_date
from portal.core.htmx import render, render_alike
from portal.core.kept import kept
from portal.core.numbers import read_number
from portal.referrals.services import Reached
from portal.scheduling import queries as scheduling
from portal.scheduling.free_times import FreeTime, SlotFilter, count_free_by_day, find_free_slots, find_slots_around
from portal.scheduling.hoarding import find_claimable
from portal.scheduling.models import Slot
from portal.scheduling.set_up import get_set_up

SOON = timedelta(days=14)  # within this, somebody in the prompt lane should be seen
NEAREST_SHOWN, MOST_SHOWN, MOST_ON_A_DAY = 6, 60, 500
FOR_BOOKING = "booking/slots.html", "slot_list"
AS_OLD_AS = timedelta(milliseconds=250)  # may be what somebody sees who has chosen nothing: as on a slow line
Days = list[tuple[date, tuple[FreeTime, ...]]]


@dataclass(frozen=True)
class Month:
    """A month of days with how many times are free on each; the weeks begin on Sunday, as on US calendars."""

    first: date
    weeks: list[list[date | None]]
    free: dict[date, int]
    before: date | None
    after: date | None


def render_for_booking(standing: Standing, holder: UUID, error: str | None = None) -> Response:
    """The page of free times for a new visit."""
    lane, prompt, reached = standing.lane, standing.prompt, standing.reached
    if not (request.args or error or Reached.SLOT_HELD in reached or Reached.BOOKED in reached):
        alike = (lane, prompt, own_zone.get())
        return render_alike(*FOR_BOOKING, alike, lambda: _for_booking(lane, prompt, None), AS_OLD_AS)
    held = scheduling.get_held_slot(holder) if Reached.SLOT_HELD in reached else None
    context = _for_booking(lane, prompt, holder)
    return render(
        *FOR_BOOKING,
        422 if error else 200,
        **{**context, "chosen": context["chosen"] or (held.id if held else None)},
        error=error,
        held=held,
        booked=_find_booked(holder) if Reached.BOOKED in reached else None,
        outcome="invalid" if error else None,
    )


def _find_booked(holder: UUID) -> Appointment | None:
    """What they have booked, as long as their browser may show it."""
    booked = queries.find_latest_of(holder)
    return booked if booked is not None and visit_access.is_open(booked) else None


def _for_booking(lane: str, prompt: bool, holder: UUID | None) -> dict[str, Any]:
    context = _context(url_for("booking.choose_slot"), SlotFilter(), lane, holder)
    none_soon = prompt and not _any_soon(context["first"])
    return {**context, "prompt": prompt, "none_soon": none_soon, "phone_only": get_set_up().phone_only_types}


def render_for_move(
    appointment: Appointment, error: str | None = None, status: int = 200, taken: int | None = None
) -> Response:
    """The page of free times that a visit can move to; `taken` is the one that has gone a moment ago."""
    address = url_for("visit.choose_time", key=appointment.reference)
    wanted = SlotFilter(kind=appointment.visit_type.kind, leaving=appointment.slot_id)
    context = _context(address, wanted, appointment.lane or LANE_OF_RETURNING, None)
    outcome = "invalid" if error else "taken" if taken else None
    return render(
        "booking/move.html",
        "slot_list",
        status,
        **context,
        error=error,
        taken=scheduling.get_slot(taken) if taken else None,
        appointment=appointment,
        outcome=outcome,
    )


def ask_the_same(address: str) -> str:
    """That address with what the present one asks of the list and what is chosen there, as far as it is known here."""
    asked = _asked(_build_filters(None).wanted()) if request.args else {}
    return _link(address, asked, slot=read_number(request.values.get("slot")))


def list_nearest(wanted: Slot | None, lane: str, holder: UUID) -> list[FreeTime]:
    """The free times nearest to one that has gone, soonest first."""
    if wanted is None:
        return find_free_slots(SlotFilter(), lane, holder, NEAREST_SHOWN)
    around = find_slots_around(wanted.starts_at, lane, holder, NEAREST_SHOWN)
    around.sort(key=lambda slot: abs(slot.starts_at - wanted.starts_at))
    return sorted(around[:NEAREST_SHOWN], key=lambda slot: slot.starts_at)


def by_day(slots: Sequence[FreeTime]) -> Days:
    """Slots by day on the calendar of their place, soonest first."""
    ordered = sorted(slots, key=attrgetter("day", "starts_at"))
    return [(day, tuple(group)) for day, group in groupby(ordered, key=attrgetter("day"))]


def slots_of_day(day: date, slots: tuple[FreeTime, ...], chosen: int | None, zone: str | None, more: bool) -> Markup:
    """The free times of a day as radio buttons."""
    items = (
        _component("slot_item", slot, chosen, zone) if slot.id == chosen else _plain_item(slot, zone) for slot in slots
    )
    return _component("slot_day", day, Markup("").join(items), len(slots), more)


@lru_cache(maxsize=500)  # most stand on the page that is made after this one, too
def _plain_item(slot: FreeTime, zone: str | None) -> Markup:
    return _component("slot_item", slot, own_zone=zone)


def _component(name: str, *values: object, **more: object) -> Markup:
    html: Markup = getattr(current_app.jinja_env.get_template("components/ui.html").module, name)(*values, **more)
    return html


def _whole_days(slots: Sequence[FreeTime]) -> tuple[Days, date | None]:
    """What one page shows of the slots found, as whole days; and the day on which the next page begins.

    Of a day with more than a page's worth it shows the first ones; that day has a page of its own.
    """
    days = by_day(slots)
    if len(slots) <= MOST_SHOWN:
        return days, None
    return (days[:-1], days[-1][0]) if len(days) > 1 else (by_day(slots[:-1]), days[0][0] + timedelta(days=1))


def _context(address: str, base: SlotFilter, lane: str, holder: UUID | None) -> dict[str, Any]:
    say_nothing_asked()
    if "zone" in request.args:
        own_zone.remember(request.args["zone"])
    zone = own_zone.get()
    filters = _build_filters(zone) if request.args else None
    wanted = replace(filters.wanted(), kind=base.kind, leaving=base.leaving) if filters else base
    slots = find_free_slots(wanted, lane, holder, MOST_ON_A_DAY if wanted.day else MOST_SHOWN + 1)
    days, next_day = (by_day(slots), None) if wanted.day else _whole_days(slots)
    chosen = read_number(request.args.get("slot"))
    return {
        "address": address,
        "link": partial(_link, address, _asked(wanted)),
        "show_filters": partial(_show_filters, address, filters, zone, _zones(slots)),
        "wanted": wanted,
        "days": days,
        "next_day": next_day,
        "cut_day": days[0][0] if next_day and len(days) == 1 else None,
        "first": slots[0] if slots else None,
        "chosen": chosen,
        "gone": chosen is not None and chosen not in {slot.id for slot in slots} and not _is_free(chosen, holder),
        "month": _month(count_free_by_day(replace(wanted, day=None, since=None), lane, holder))
        if _as_month()
        else None,
        "own_zone": zone,
    }


def _is_free(slot_id: int, holder: UUID | None) -> bool:
    return holder is not None and find_claimable(slot_id, holder) is not None


def _asked(wanted: SlotFilter) -> dict[str, Any]:
    """What the address asks for, as far as it is known here: of its other words none is repeated."""
    return {
        **{name: getattr(wanted, name) for name in ("mode", "part_of_day", "location", "provider", "day", "since")},
        "weekdays": sorted(wanted.weekdays),
        "view": "month" if _as_month() else None,
        "month": month.strftime("%Y-%m") if (month := _month_asked()) else None,
    }


def _build_filters(zone: str | None) -> FilterForm:
    """The filters as the address has them."""
    filters, known = FilterForm(request.args), get_set_up()
    filters.offer(known.modes, known.locations, known.providers, zone)
    return filters


def _show_filters(address: str, filters: FilterForm | None, zone: str | None, shown_by: str) -> Markup:
    """The form to narrow the list; while nothing is chosen in it, the same on everybody's page of free times."""
    if filters is None and address == url_for("booking.choose_slot"):
        return _plain_filters(address, zone, shown_by)
    return _write_filters(address, filters or _build_filters(zone), zone, shown_by)


@kept
def _plain_filters(address: str, zone: str | None, shown_by: str) -> Markup:
    return _write_filters(address, _build_filters(zone), zone, shown_by)


def _write_filters(address: str, filters: FilterForm, zone: str | None, shown_by: str) -> Markup:
    words = render_template(
        "booking/_filters.html", address=address, filters=filters, own_zone=zone, zones=shown_by, month=_as_month()
    )
    return Markup(words)  # noqa: S704 - a template's words


def _zones(slots: Sequence[FreeTime]) -> str:
    """By which clocks these times are shown."""
    return " ".join(sorted({slot.location.zone.key for slot in slots}))


def _link(address: str, asked: dict[str, Any], **changes: object) -> str:
    """The address of this list as it is filtered now, with these changes; None takes something out."""
    query = urlencode({name: value for name, value in {**asked, **changes}.items() if value is not None}, doseq=True)
    return f"{address}?{query}" if query else address


def _as_month() -> bool:
    return request.args.get("view") == "month"


def _month_asked() -> date | None:
    return parse_date(f"{request.args.get('month', '')}-01")


def _any_soon(first: FreeTime | None) -> bool:
    return first is not None and first.starts_at <= clock.now() + SOON


def _month(free: dict[date, int]) -> Month:
    """The month asked for, or the first with a free time; the months beside it as far as there are free times."""
    today = clock.now().date()
    first = _first_of(min(free, default=today))
    last = _first_of(max(free, default=today))
    shown = min(max(_month_asked() or first, first), last)
    weeks = calendar.Calendar(calendar.SUNDAY).monthdatescalendar(shown.year, shown.month)
    return Month(
        shown,
        [[day if day.month == shown.month else None for day in week] for week in weeks],
        free,
        _first_of(shown - timedelta(days=1)) if shown > first else None,
        _first_of(shown + timedelta(days=32)) if shown < last else None,
    )


def _first_of(day: date) -> date:
    return day.replace(day=1)
