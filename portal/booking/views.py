"""`/book/`: safety question, free times, details, check, done."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment import services as assessment_services
from portal.assessment.forms import build_form
from portal.assessment.questionnaire import RED_FLAGS
from portal.booking import own_zone, queries, services, slot_list, visit_access
from portal.booking.changes import TooLate, can_change, is_before_cutoff
from portal.booking.forms import REACH_BY, ConfirmForm, DetailsForm, OwnAddressForm, SlotForm
from portal.booking.models import Appointment, BookingDraft
from portal.booking.own_address import correct_own_address
from portal.booking.services import AboutSomebodyElse, AlreadyBooked, Details, MayNotBook, SafetyUnknown
from portal.core import clock
from portal.core.htmx import render, render_alike
from portal.referrals import journeys
from portal.referrals.services import Reached, reach
from portal.scheduling import queries as scheduling
from portal.scheduling.hoarding import find_claimable
from portal.scheduling.models import Slot
from portal.scheduling.services import SlotTaken

blueprint = Blueprint("booking", __name__)
SAFETY = "booking/safety.html"
WAYS = {"time": "requests.ask_time", "check": "booking.check_booking"}
LISTS = frozenset({"booking.choose_slot", "booking.hold_slot"})


class NothingBegun(Exception):
    """This journey has chosen no time yet, or has booked it already."""


@blueprint.app_errorhandler(SafetyUnknown)
def ask_safety_first(_error: SafetyUnknown) -> AnyResponse:
    if request.endpoint in LISTS:
        return redirect(slot_list.ask_the_same(url_for("booking.show_safety")), 303)
    then = "time" if request.blueprint == "requests" else "check"
    return redirect(url_for("booking.show_safety", then=then), 303)


@blueprint.app_errorhandler(MayNotBook)
def show_lane_instead(_error: MayNotBook) -> AnyResponse:
    return redirect(url_for("assessment.show_result"), 303)


@blueprint.errorhandler(NothingBegun)
def lead_to_what_there_is(_error: NothingBegun) -> AnyResponse:
    """After booking, the old pages lead to what was booked; before, to the free times."""
    booked = queries.find_latest_of(journeys.current())
    return redirect(url_for(".show_confirmation" if booked else ".choose_slot"), 303)


@blueprint.get("/book/")
def choose_slot() -> AnyResponse:
    return _render_slots(journeys.current())


@blueprint.post("/book/")
def hold_slot() -> AnyResponse:
    journey_id, form = journeys.current(), SlotForm()
    if journey_id is None or form.slot_id is None:
        return _render_slots(journey_id, "Choose one of the times, then go on.")
    own_zone.remember_from_form()
    try:
        services.choose_slot(form.slot_id, journey_id)
    except SlotTaken:
        return _render_taken(form.slot_id, journey_id)
    return redirect(url_for(".enter_details"), 303)


@blueprint.get("/book/safety")
def show_safety() -> Response:
    return render(SAFETY, **_ask_safety()) if request.args else render_alike(SAFETY, None, (), _ask_safety)


@blueprint.post("/book/safety")
def answer_safety() -> AnyResponse:
    asked = _ask_safety()
    form = asked["form"]
    if not form.validate():
        return render(SAFETY, status=422, **asked, outcome="invalid")
    own_zone.remember_from_form()
    assessment_services.record_safety(journeys.ensure(), form.given_answers()[RED_FLAGS.id])
    if then := _find_way():
        return redirect(url_for(WAYS[then]), 303)
    return redirect(slot_list.ask_the_same(url_for(".choose_slot")), 303)


def _find_way() -> str | None:
    """On the way to what else than the free times the question was asked."""
    then = request.args.get("then")
    return then if then in WAYS else None


def _ask_safety() -> dict[str, Any]:
    """The question, and where its answer goes: with what the address asks of the free times."""
    if then := _find_way():
        address = url_for(".answer_safety", then=then)
    else:
        address = slot_list.ask_the_same(url_for(".answer_safety"))
    return {"form": build_form([RED_FLAGS], [], {}, may_skip=False), "address": address, "then": then}


@blueprint.get("/book/details")
def enter_details() -> AnyResponse:
    journey_id, draft = _get_begun()
    if find_claimable(draft.slot_id, journey_id) is None:
        return _render_taken(draft.slot_id, journey_id)
    return _render_details(DetailsForm.of(draft), draft.slot_id, journey_id)


@blueprint.post("/book/details")
def save_details() -> AnyResponse:
    """Each time it is sent renews the hold and keeps what was typed, right or wrong; "keep" does only that."""
    form = DetailsForm()
    complete = form.validate()
    typed = form.details().to_json() if complete else form.typed()
    try:
        journey_id, draft = _get_begun()
    except (SafetyUnknown, MayNotBook):
        services.keep_details(journeys.current(), typed, complete)
        raise
    if not services.save_details(journey_id, typed, complete):
        return _render_taken(draft.slot_id, journey_id)
    if "keep" in request.form:
        return redirect(url_for(".enter_details"), 303)
    if not complete:
        return _render_details(form, draft.slot_id, journey_id, status=422)
    return redirect(url_for(".check_booking"), 303)


@blueprint.get("/book/check")
def check_booking() -> AnyResponse:
    journey_id, draft = _get_begun()
    if not draft.complete:
        return redirect(url_for(".enter_details"), 303)
    return _render_check(draft, journey_id)


@blueprint.post("/book/check")
def book() -> AnyResponse:
    journey_id = journeys.current()
    form = ConfirmForm()
    if journey_id is None or form.slot_id is None or not form.validate():
        raise NothingBegun
    draft = queries.get_draft(journey_id)
    if draft is None or not draft.complete or draft.idempotency_key != form.key.data:
        return _answer_old_button(journey_id, form.key.data, draft)
    try:
        services.book(journey_id, form.slot_id, Details.from_json(draft.details), form.key.data, own_zone.get())
    except SlotTaken:
        return _render_taken(form.slot_id, journey_id)
    except AlreadyBooked as error:
        return _render_already_booked(error.appointment, journey_id)
    except AboutSomebodyElse:
        return render("booking/somebody_else.html", status=409, outcome="invalid")
    return redirect(url_for(".show_confirmation"), 303)


@blueprint.post("/book/anew")
def begin_anew() -> AnyResponse:
    """What was answered on this journey says nothing of the visit, being another person's or past: ask once more.

    Who has been seen, and has just said how it is now, is not asked again.
    """
    seen = "seen" in request.form
    if (journey_id := journeys.current()) is not None and not assessment_services.leave_answers(journey_id, seen):
        return redirect(url_for("assessment.show_result"), 303)
    if seen:
        return redirect(url_for(".choose_slot"), 303)
    return redirect(url_for(".show_safety", then=_find_way()), 303)


@blueprint.post("/book/renew")
def renew_hold() -> AnyResponse:
    """Another ten minutes for the time that is held, from any page that shows it."""
    journey_id, draft = _get_begun()
    try:
        services.renew_hold(draft.slot_id, journey_id)
    except SlotTaken:
        return _render_taken(draft.slot_id, journey_id)
    return redirect(url_for(".check_booking" if draft.complete else ".enter_details"), 303)


@blueprint.get("/book/confirmed")
def show_confirmation() -> AnyResponse:
    appointment = queries.find_latest_of(journeys.current())
    if appointment is None:
        return redirect(url_for(".choose_slot"), 303)
    if not visit_access.is_open(appointment):
        return render("booking/no_visit.html", status=404)
    visit_access.grant(appointment)
    if not appointment.stands:
        return redirect(url_for("visit.show_visit", key=appointment.reference), 303)
    return render(
        "booking/confirmed.html",
        appointment=appointment,
        slot=appointment.slot,
        can_change=can_change(appointment),
        is_new=visit_access.is_new(appointment),
        outcome="booked",
        reference=appointment.reference,
    )


@blueprint.get("/book/confirmed/address")
def ask_address() -> Response:
    return _render_address(OwnAddressForm(formdata=None, email=_get_just_booked().patient.email))


@blueprint.post("/book/confirmed/address")
def correct_address() -> AnyResponse:
    """Where the confirmation should have gone; whoever got it by mistake has a link that opens nothing any more."""
    appointment, form = _get_just_booked(), OwnAddressForm()
    if not form.validate():
        return _render_address(form, status=422)
    try:
        correct_own_address(appointment.id, form.email.data)
    except (TooLate, LookupError):
        raise NothingBegun from None
    return redirect(url_for(".show_confirmation"), 303)


def _get_just_booked() -> Appointment:
    """The visit that this journey has booked within the hour and that stands. Raises NothingBegun."""
    appointment = queries.find_latest_of(journeys.current())
    if appointment is None or not appointment.stands or not visit_access.is_new(appointment):
        raise NothingBegun
    return appointment


def _render_address(form: OwnAddressForm, status: int = 200) -> Response:
    return render("booking/address.html", status=status, form=form, outcome="invalid" if status == 422 else None)


def _get_begun() -> tuple[UUID, BookingDraft]:
    """The journey and the booking that it has begun. Raises SafetyUnknown, MayNotBook or NothingBegun."""
    journey_id = journeys.current()
    services.require_standing(journey_id)
    draft = queries.get_draft(journey_id)
    if draft is None or journey_id is None:
        raise NothingBegun
    return journey_id, draft


def _render_slots(journey_id: UUID | None, error: str | None = None) -> Response:
    standing = services.require_standing(journey_id)
    assert journey_id is not None  # whoever has a standing is on a journey
    if Reached.SLOTS_SEEN not in standing.reached:
        reach(journey_id, Reached.SLOTS_SEEN)
    return slot_list.render_for_booking(standing, journey_id, error)


def _answer_old_button(journey_id: UUID, key: str, draft: BookingDraft | None) -> AnyResponse:
    """The last button of a page that is not true any more: it has booked, or something else is about to be booked."""
    if services.find_own_booking(key, journey_id) is not None:
        return redirect(url_for(".show_confirmation"), 303)
    if draft is None or not draft.complete:
        return redirect(url_for(".choose_slot"), 303)
    return _render_check(draft, journey_id, changed=True)


def _render_check(draft: BookingDraft, journey_id: UUID, changed: bool = False) -> Response:
    if find_claimable(draft.slot_id, journey_id) is None:
        return _render_taken(draft.slot_id, journey_id)
    slot, details = scheduling.get_slot(draft.slot_id), Details.from_json(draft.details)
    return render(
        "booking/check.html",
        status=409 if changed else 200,
        form=ConfirmForm(formdata=None, slot=str(draft.slot_id), key=draft.idempotency_key),
        details=details,
        reach_by=dict(REACH_BY)[details.reach_by],
        slot=slot,
        held_until=_held_until(slot, journey_id),
        journey_id=journey_id,
        own_zone=own_zone.get(),
        can_change=slot is not None and is_before_cutoff(slot),
        changed=changed,
        outcome="invalid" if changed else None,
    )


def _render_details(form: DetailsForm, slot_id: int, journey_id: UUID | None, status: int = 200) -> Response:
    slot = scheduling.get_slot(slot_id)
    held_until = _held_until(slot, journey_id)
    return render(
        "booking/details.html",
        status=status,
        form=form,
        slot=slot,
        held_until=held_until,
        journey_id=journey_id,
        own_zone=own_zone.get(),
        outcome="invalid" if status == 422 else "held" if held_until else None,
    )


def _render_taken(slot_id: int, journey_id: UUID) -> Response:
    """An ordinary answer: somebody was faster. What was typed is kept; the nearest free times are here."""
    lane = services.require_standing(journey_id).lane
    wanted = scheduling.get_slot(slot_id)
    return render(
        "booking/taken.html",
        status=409,
        form=SlotForm(formdata=None),
        wanted=wanted,
        nearest=slot_list.list_nearest(wanted, lane, journey_id),
        own_zone=own_zone.get(),
        outcome="taken",
    )


def _render_already_booked(existing: Appointment | None, journey_id: UUID) -> Response:
    """One visit of a kind for each person: whoever has it gets its link by mail, and nobody else learns of it."""
    own = existing is not None and existing == queries.find_latest_of(journey_id)
    if existing is not None:
        services.send_link_again(existing)
    may_move = existing is not None and can_change(existing)
    return render("booking/already_booked.html", status=409, own=own, can_change=may_move, outcome="limited")


def _held_until(slot: Slot | None, journey_id: UUID | None) -> datetime | None:
    if slot is None or slot.held_by != journey_id or slot.held_until is None or slot.held_until <= clock.now():
        return None
    return slot.held_until
