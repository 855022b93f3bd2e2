"""`/desk/book`: book for somebody on the phone, on one page.

What was typed travels in the form from step to step, and none of it in an address.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, abort, request, url_for
from werkzeug import Response as AnyResponse

from portal.booking import callers, people
from portal.booking.callers import Call, NotToday, OwnTime, UnknownCode
from portal.booking.models import Appointment
from portal.booking.queries import find_by_idempotency_key, get_appointment
from portal.booking.services import AlreadyBooked, MayNotBook, SafetyUnknown
from portal.core import clock
from portal.core.htmx import leave, render
from portal.core.numbers import read_number
from portal.frontdesk import privacy, queries, services, spelling
from portal.frontdesk.acting import get_staff_id
from portal.frontdesk.caller_forms import read_id
from portal.frontdesk.caller_page import CallPage, begin_call, chosen_patient, own_time
from portal.scheduling.queries import get_slot
from portal.scheduling.services import SlotTaken, TimeTaken
from portal.scheduling.why import in_the_way

blueprint = Blueprint("callers", __name__, url_prefix="/desk/book")


@blueprint.get("")
def open_call() -> Response:
    """The page of a new call; what the address names is filled in, and nothing is held by looking."""
    return begin_call().render()


@blueprint.post("")
def take_step() -> AnyResponse:
    """Whatever button was pressed. Each step keeps what was typed and renews the hold."""
    page = CallPage.sent()
    step, _, what = request.form.get("step", "").partition(":")
    if page.form.sign is not None and step != "slip":
        return _send_to_emergency(page)
    if step.startswith("book"):
        return _book(page, step)
    return STEPS.get(step, _show_times)(page, what)


@blueprint.get("/done/<uuid:appointment_id>")
def show_done(appointment_id: UUID) -> Response:
    appointment = get_appointment(appointment_id) or abort(404)
    services.record_visit_seen(appointment_id)
    return render(
        "frontdesk/booked.html",
        appointment=appointment,
        slot=appointment.slot,
        spelled=spelling.spell(appointment.reference),
        mail=queries.find_confirmation(appointment),
        now=clock.now(),
        outcome="booked" if appointment.takes_slot else "cancelled",
        reference=appointment.reference,
    )


def _find(page: CallPage, _what: str) -> Response:
    return page.render("matches")


def _use(page: CallPage, what: str) -> Response:
    patient = people.get_patient(read_id(what) or UUID(int=0)) or abort(404)
    page.use(patient)
    return page.render("who")


def _note_new(page: CallPage, _what: str) -> Response:
    page.form.patient.data, page.form.somebody_new.data = "", "yes"
    return page.render("who")


def _show_times(page: CallPage, _what: str = "") -> Response:
    page.form.own_time.data = ""
    page.hold()
    return page.render("times")


def _narrow_to_type(page: CallPage, what: str) -> Response:
    page.form.visit_type.data = what
    return _show_times(page)


def _show_later(page: CallPage, what: str) -> Response:
    if (slot_id := read_number(what)) is not None and (slot := get_slot(slot_id)) is not None:
        page.go_on_with(slot)
    return _show_times(page)


def _hold(page: CallPage, what: str) -> Response:
    page.form.slot.data = what
    return _show_times(page)


def _let_go(page: CallPage, _what: str) -> Response:
    page.let_go()
    return page.render("times")


def _ask_own_time(page: CallPage, _what: str) -> Response:
    page.let_go()
    page.form.own_time.data = "yes"
    return page.render("times")


def _take_back_sign(page: CallPage, _what: str) -> Response:
    page.form.answer.data = None
    page.hold()
    return page.render("call")


def _mask(page: CallPage, _what: str) -> Response:
    privacy.toggle_mask()
    page.hold()
    return page.render()


STEPS = {
    "find": _find,
    "use": _use,
    "new": _note_new,
    "type": _narrow_to_type,
    "from": _show_later,
    "hold": _hold,
    "other": _let_go,
    "own": _ask_own_time,
    "slip": _take_back_sign,
    "mask": _mask,
}


def _send_to_emergency(page: CallPage) -> Response:
    callers.note_emergency(page.key)
    return page.render("call", outcome="emergency")


def _book(page: CallPage, step: str) -> AnyResponse:
    form = page.form
    if (booked := find_by_idempotency_key(str(page.key))) is not None:  # the same form, sent once more
        return leave(url_for(".show_done", appointment_id=booked.id))
    valid = form.validate()
    time = own_time(form) if form.own_time.data else form.slot_id
    if not valid or time is None:
        page.hold()
        return page.render(status=422, outcome="invalid")
    known = chosen_patient(form)
    if known is None and not form.somebody_new.data and step == "book" and page.matches:
        page.hold()
        return page.render(asking=True, status=422, outcome="invalid")
    call = _call(page, time, known.id if known else None, another=step == "book-another")
    try:
        appointment = callers.book_for_caller(call)
    except AlreadyBooked as error:
        return _show_standing(page, error.appointment)
    except (SlotTaken, UnknownCode, NotToday, SafetyUnknown, MayNotBook) as error:
        return _explain(page, error)
    return leave(url_for(".show_done", appointment_id=appointment.id))


def _call(page: CallPage, time: int | OwnTime, patient_id: UUID | None, another: bool) -> Call:
    form = page.form
    return Call(
        key=page.key,
        staff_id=get_staff_id(),
        details=form.details(),
        time=time,
        answer=form.given_answer,
        patient_id=patient_id,
        seen=form.read_seen() or {},
        request_id=read_id(form.request_id.data),
        code=form.code.data or "",
        another=another,
        is_here=bool(form.own_time.data and form.is_here.data),
    )


def _show_standing(page: CallPage, standing: Appointment | None) -> Response:
    page.hold()
    return page.render(standing=standing, status=409, outcome="limited")


def _explain(page: CallPage, error: Exception) -> Response:
    """Say what stopped the booking next to what it concerns; nothing that was typed is lost."""
    form, status, outcome = page.form, 422, "invalid"
    if isinstance(error, UnknownCode):
        form.code.errors = ["No leaflet or letter has this code. Read it again, or leave it empty."]
    elif isinstance(error, NotToday):
        form.own_day.errors = ["Nobody is here on another day: choose today, or untick “Is here now”."]
    elif isinstance(error, SafetyUnknown):
        form.answer.errors = ["A first visit needs the answer. Read the question aloud."]
    elif isinstance(error, MayNotBook):
        form.answer.errors = ["What this caller has told us before needs help now: this is no case for a visit."]
    else:
        status, outcome = 409, "taken"
        words = in_the_way(error.slot) if isinstance(error, TimeTaken) else "somebody else"
        field = form.own_begins if form.own_time.data else form.slot
        field.errors = [f"{words[0].upper()}{words[1:]} has this time. Choose another."]
        form.slot.data = ""
    page.hold()
    return page.render(status=status, outcome=outcome)
