"""`/book/`: safety question, free times, details, check, done."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment import services as assessment_services
from portal.assessment.forms import build_form
from portal.assessment.questionnaire import RED_FLAGS
from portal.assessment.rules import Lane
from portal.booking import queries, services
from portal.booking.forms import ConfirmForm, DetailsForm, FilterForm, SlotForm
from portal.booking.services import Details, MayNotBook, SafetyUnknown
from portal.core.htmx import render
from portal.referrals import journeys
from portal.referrals.services import Reached, reach
from portal.scheduling import queries as scheduling
from portal.scheduling.models import Slot
from portal.scheduling.queries import SlotFilter
from portal.scheduling.services import SlotTaken

blueprint = Blueprint("booking", __name__)
DAYS_SHOWN, NEAREST_SHOWN = 7, 6


@blueprint.errorhandler(SafetyUnknown)
def ask_safety_first(_error: SafetyUnknown) -> AnyResponse:
    return redirect(url_for("booking.show_safety"), 303)


@blueprint.errorhandler(MayNotBook)
def show_lane_instead(_error: MayNotBook) -> AnyResponse:
    return redirect(url_for("assessment.show_result"), 303)


@blueprint.get("/book/")
def choose_slot() -> AnyResponse:
    standing = services.require_standing(journeys.current())
    if (journey_id := journeys.current()) is not None:
        reach(journey_id, Reached.SLOTS_SEEN)
    return _render_slots(standing.lane, SlotForm())


@blueprint.post("/book/")
def hold_slot() -> AnyResponse:
    journey_id = journeys.current()
    standing = services.require_standing(journey_id)
    assert journey_id is not None  # whoever has a standing is on a journey
    form = SlotForm()
    if form.slot_id is None:
        return _render_slots(standing.lane, form, error="Choose one of the times, then go on.", status=422)
    try:
        services.choose_slot(form.slot_id, journey_id)
    except SlotTaken:
        return _render_taken(form.slot_id, standing.lane, journey_id)
    return redirect(url_for(".enter_details"), 303)


@blueprint.get("/book/safety")
def show_safety() -> Response:
    return _render_safety(build_form([RED_FLAGS], [], {}))


@blueprint.post("/book/safety")
def answer_safety() -> AnyResponse:
    form = build_form([RED_FLAGS], [], {})
    if not form.validate():
        return _render_safety(form, status=422)
    assessment_services.record_answers(journeys.ensure(), form.given_answers())
    return redirect(url_for(".choose_slot"), 303)


@blueprint.get("/book/details")
def enter_details() -> AnyResponse:
    journey_id = journeys.current()
    services.require_standing(journey_id)
    draft = queries.get_draft(journey_id)
    if draft is None:
        return _nothing_begun(journey_id)
    form = DetailsForm(data=draft.details)
    return _render_details(form, draft.slot_id, journey_id)


@blueprint.post("/book/details")
def save_details() -> AnyResponse:
    journey_id = journeys.current()
    standing = services.require_standing(journey_id)
    draft = queries.get_draft(journey_id)
    if draft is None or journey_id is None:
        return _nothing_begun(journey_id)
    form = DetailsForm()
    if not form.validate():
        return _render_details(form, draft.slot_id, journey_id, status=422)
    services.save_details(journey_id, form.details())
    try:
        services.renew_hold(journey_id, draft.slot_id)
    except SlotTaken:
        return _render_taken(draft.slot_id, standing.lane, journey_id)
    return redirect(url_for(".check_booking"), 303)


@blueprint.get("/book/check")
def check_booking() -> AnyResponse:
    journey_id = journeys.current()
    services.require_standing(journey_id)
    draft = queries.get_draft(journey_id)
    if draft is None:
        return _nothing_begun(journey_id)
    if not draft.details:
        return redirect(url_for(".enter_details"), 303)
    return render(
        "booking/check.html",
        form=ConfirmForm(slot=str(draft.slot_id), key=draft.idempotency_key),
        details=Details.from_json(draft.details),
        slot=scheduling.get_slot(draft.slot_id),
        held_until=_held_until(draft.slot_id, journey_id),
    )


@blueprint.post("/book/check")
def book() -> AnyResponse:
    journey_id = journeys.current()
    standing = services.require_standing(journey_id)
    form = ConfirmForm()
    draft = queries.get_draft(journey_id)
    if journey_id is None or form.slot_id is None or not form.validate():
        return _nothing_begun(journey_id)
    if draft is None or not draft.details:
        return _nothing_begun(journey_id)
    try:
        services.book(journey_id, form.slot_id, Details.from_json(draft.details), form.key.data)
    except SlotTaken:
        return _render_taken(form.slot_id, standing.lane, journey_id)
    return redirect(url_for(".show_confirmation"), 303)


@blueprint.get("/book/confirmed")
def show_confirmation() -> AnyResponse:
    appointment = queries.find_latest_of(journeys.current())
    if appointment is None:
        return redirect(url_for(".choose_slot"), 303)
    return render(
        "booking/confirmed.html",
        appointment=appointment,
        slot=appointment.slot,
        outcome="booked" if appointment.takes_slot else "cancelled",
        reference=appointment.reference,
    )


def _nothing_begun(journey_id: UUID | None) -> AnyResponse:
    """After booking, the old pages lead to what was booked; before, to the free times."""
    booked = queries.find_latest_of(journey_id)
    return redirect(url_for(".show_confirmation" if booked else ".choose_slot"), 303)


def _render_safety(form: object, status: int = 200) -> Response:
    return render("booking/safety.html", status=status, form=form, outcome="invalid" if status == 422 else None)


def _render_slots(lane: Lane, form: SlotForm, error: str | None = None, status: int = 200) -> Response:
    filters = FilterForm(request.args)
    filters.offer(scheduling.list_modes(), list(scheduling.list_locations()), list(scheduling.list_providers()))
    slots = scheduling.find_free_slots(filters.wanted(), lane, journeys.current())
    return render(
        "booking/slots.html",
        "slot_list",
        status,
        form=form,
        filters=filters,
        days=_by_day(slots),
        first=slots[0] if slots else None,
        error=error,
        held=scheduling.get_held_slot(journeys.current()),
        booked=queries.find_latest_of(journeys.current()),
        outcome="invalid" if error else None,
    )


def _render_details(form: DetailsForm, slot_id: int, journey_id: UUID | None, status: int = 200) -> Response:
    return render(
        "booking/details.html",
        status=status,
        form=form,
        slot=scheduling.get_slot(slot_id),
        held_until=_held_until(slot_id, journey_id),
        outcome="invalid" if status == 422 else "held",
    )


def _render_taken(slot_id: int, lane: Lane, journey_id: UUID) -> Response:
    """An ordinary answer: somebody was faster. What was typed is kept; the nearest free times are here."""
    wanted = scheduling.get_slot(slot_id)
    free = scheduling.find_free_slots(SlotFilter(), lane, journey_id)
    if wanted is not None:
        free.sort(key=lambda slot: abs(slot.starts_at - wanted.starts_at))
    nearest = sorted(free[:NEAREST_SHOWN], key=lambda slot: slot.starts_at)
    return render(
        "booking/taken.html",
        status=409,
        form=SlotForm(formdata=None),
        wanted=wanted,
        days=_by_day(nearest),
        outcome="taken",
    )


def _held_until(slot_id: int, journey_id: UUID | None) -> object:
    held = scheduling.get_held_slot(journey_id)
    return held.held_until if held is not None and held.id == slot_id else None


def _by_day(slots: list[Slot]) -> list[tuple[object, list[Slot]]]:
    """Slots by the day on the clocks of their place, in order."""
    days: dict[object, list[Slot]] = {}
    for slot in slots:
        days.setdefault(slot.starts_at.astimezone(slot.location.zone).date(), []).append(slot)
    return list(days.items())
