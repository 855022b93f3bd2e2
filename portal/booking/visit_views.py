"""`/visit/<key>`: one visit, for whoever holds its link. Nothing happens on GET.

The key in a mail is the token; looking at it swaps it for an hour's access and the visit's reference in the address.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.assessment.brief import write_brief
from portal.assessment.brief_views import render_brief
from portal.booking import calendar, changes, links, queries, services, slot_list, visit_access, visit_news, waitlist
from portal.booking.changes import ATTACK, TooLate, can_change, can_undo, has_attack_help, list_switches
from portal.booking.forms import AttackForm, BirthDateForm, CancelForm, SlotForm, UndoForm, WishesForm
from portal.booking.models import Appointment
from portal.booking.services import AlreadyBooked, TooManyTries
from portal.booking.wishes import Wishes
from portal.core.htmx import render
from portal.scheduling.services import SlotTaken
from portal.scheduling.set_up import get_set_up

blueprint = Blueprint("visit", __name__, url_prefix="/visit/<key>")


@blueprint.before_request
def swap_token() -> AnyResponse | None:
    """Send whoever opens a link to the same page at an address without the secret."""
    values = request.view_args or {}
    appointment = queries.find_by_token(values.get("key", ""))
    if appointment is None or not links.is_live(appointment):
        return None
    visit_access.grant(appointment)
    if request.method in {"GET", "HEAD"} and request.endpoint != "visit.download_calendar":
        return redirect(url_for(request.endpoint or "", **{**values, "key": appointment.reference}), 303)
    return None


@blueprint.errorhandler(404)
def explain_link(_error: Exception) -> Response:
    """The same for a visit that is not there and for one that this browser may not see (any more)."""
    return render("booking/no_visit.html", status=404)


@blueprint.get("")
def show_visit(key: str) -> Response:
    appointment = _find(key)
    news = visit_news.take(appointment)
    return _render_visit(appointment, "moved" if news == "moved" else None, news=news)


@blueprint.get("/calendar.ics")
def download_calendar(key: str) -> Response:
    appointment = _find(key)
    if not appointment.takes_slot:
        abort(404)
    response = make_response(calendar.build_entry(appointment, calendar.PUBLISH))
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="appointment.ics"'
    return response


@blueprint.get("/move")
def choose_time(key: str) -> AnyResponse:
    appointment = _find(key)
    if not can_change(appointment):
        return _back_to(appointment)
    return slot_list.render_for_move(appointment)


@blueprint.post("/move")
def move(key: str) -> AnyResponse:
    appointment = _find(key)
    form = SlotForm()
    if form.slot_id is None:
        return slot_list.render_for_move(appointment, "Choose one of the times, then go on.", 422)
    try:
        changes.move(appointment.id, form.slot_id)
    except SlotTaken:
        return slot_list.render_for_move(_find(key), status=409, taken=form.slot_id)
    except TooLate:
        return _render_visit(_find(key), "unavailable", 409)
    return _tell(appointment, "moved")


@blueprint.get("/cancel")
def choose_cancel(key: str) -> AnyResponse:
    appointment = _find(key)
    return _render_cancel(appointment, CancelForm()) if can_change(appointment) else _back_to(appointment)


@blueprint.post("/cancel")
def cancel(key: str) -> AnyResponse:
    appointment = _find(key)
    form = CancelForm()
    if not form.validate():
        return _render_cancel(appointment, form, status=422)
    if form.choice.data == "keep" or form.confirmed.data == "no":
        return _keep(appointment)
    return _cancel(appointment, form)


@blueprint.post("/undo")
def undo_cancel(key: str) -> AnyResponse:
    appointment, form = _find(key), UndoForm()
    if can_undo(appointment) and not form.validate():
        return _render_visit(appointment, "invalid", 422, form)
    if form.choice.data == "leave":
        return _back_to(appointment)
    try:
        changes.undo_cancel(appointment.id)
    except SlotTaken:
        return _render_visit(_find(key), "taken", 409)
    except AlreadyBooked:
        return _render_visit(_find(key), "limited", 409)
    except TooLate:
        return _render_visit(_find(key), "unavailable", 409)
    return _tell(appointment, "restored")


@blueprint.get("/attack")
def show_attack_help(key: str) -> AnyResponse:
    appointment = _find(key)
    return (
        _render_attack(appointment, _attack_form(appointment))
        if has_attack_help(appointment)
        else _back_to(appointment)
    )


@blueprint.post("/attack")
def use_attack_help(key: str) -> AnyResponse:
    appointment = _find(key)
    form = _attack_form(appointment)
    if form.choice.data == appointment.visit_type.code:  # sent twice: the form does not offer what the visit is by now
        return _tell(appointment, "moved")
    if not form.validate():
        return _render_attack(appointment, form, status=422)
    if form.choice.data == "keep" or form.confirmed.data == "no":
        return _keep(appointment)
    if form.choice.data == ATTACK:
        return _cancel(appointment, form)
    try:
        changes.switch(appointment.id, form.choice.data)
    except (TooLate, LookupError):
        return _render_visit(_find(key), "unavailable", 409)
    return _tell(appointment, "moved")


@blueprint.get("/brief")
def ask_birth_date(key: str) -> Response:
    return _render_birth_date(_find_with_brief(key), BirthDateForm())


@blueprint.post("/brief")
def show_brief(key: str) -> Response:
    """The summary for the care team, for whoever has the link and knows the date of birth."""
    appointment = _find_with_brief(key)
    form = BirthDateForm()
    if not form.validate():
        return _render_birth_date(appointment, form, 422)
    assert form.date_of_birth.date is not None
    try:
        known = services.check_birth_date(appointment.id, form.date_of_birth.date)
    except TooManyTries:
        return _render_birth_date(appointment, form, 429)
    if not known:
        form.date_of_birth.errors = ["This is not the date of birth of the visit's patient."]
        return _render_birth_date(appointment, form, 422)
    assert appointment.assessment is not None
    back = url_for(".show_visit", key=appointment.reference)
    return make_response(render_brief(write_brief(appointment.assessment, own=True), "", who=appointment, back=back))


@blueprint.get("/earlier")
def show_earlier(key: str) -> AnyResponse:
    appointment = _find(key)
    if not appointment.stands:
        return _back_to(appointment)
    entry = queries.get_entry(appointment.id)
    wishes = Wishes.from_json(entry.wishes) if entry else Wishes()
    return _render_earlier(appointment, WishesForm(data=wishes.to_json()))


@blueprint.post("/earlier")
def join_or_leave_waitlist(key: str) -> AnyResponse:
    appointment = _find(key)
    if not appointment.stands:
        return _render_visit(appointment, "unavailable", 409)
    form = WishesForm()
    _offer_wishes(form)
    if not form.validate():
        return _render_earlier(appointment, form, status=422)
    if "leave" in request.form:
        waitlist.close(appointment.id)
        return _tell(appointment, "off the list")
    waitlist.join(appointment.id, form.wishes())
    return _tell(appointment, "on the list")


def _find(key: str) -> Appointment:
    """The visit of that link, or of that reference if this browser has opened its link; 404 for all else."""
    by_token = queries.find_by_token(key)
    if by_token is not None and links.is_live(by_token):
        return by_token
    appointment = queries.find_by_reference(key)
    if appointment is None or not visit_access.is_granted(appointment) or not links.is_live(appointment):
        abort(404)
    visit_access.grant(appointment)
    return appointment


def _back_to(appointment: Appointment) -> AnyResponse:
    return redirect(url_for(".show_visit", key=appointment.reference), 303)


def _tell(appointment: Appointment, news: str) -> AnyResponse:
    """Back to the visit, which says once what has been done."""
    visit_news.tell_once(appointment, news)
    return _back_to(appointment)


def _keep(appointment: Appointment) -> AnyResponse:
    """Nothing was changed; a visit that does not stand, such as one cancelled before going back, is shown as it is."""
    return _render_visit(appointment, "kept") if appointment.stands else _back_to(appointment)


def _cancel(appointment: Appointment, form: CancelForm | AttackForm) -> AnyResponse:
    """Cancel the visit for the reason chosen, once that is confirmed."""
    if form.confirmed.data != "yes":
        return render("booking/cancel_confirm.html", appointment=appointment, form=form, endpoint=request.endpoint)
    try:
        changes.cancel(appointment.id, form.choice.data)
    except TooLate:
        return _render_visit(appointment, "unavailable", 409)
    return _back_to(appointment)


def _render_visit(
    appointment: Appointment,
    outcome: str | None = None,
    status: int = 200,
    form: UndoForm | None = None,
    news: str | None = None,
) -> Response:
    entry = queries.get_entry(appointment.id)
    return render(
        "booking/visit.html",
        status=status,
        appointment=appointment,
        slot=appointment.slot,
        can_change=can_change(appointment),
        can_undo=can_undo(appointment),
        has_attack_help=has_attack_help(appointment),
        waiting=appointment.stands and entry is not None and entry.closed_at is None,
        can_switch=bool(list_switches(appointment)),
        form=form or UndoForm(formdata=None),
        news=news,
        outcome=outcome or _state(appointment),
        reference=appointment.reference,
    )


def _state(appointment: Appointment) -> str:
    if not appointment.takes_slot:
        return "cancelled"
    return "expired" if appointment.is_over else "booked"


def _render_cancel(appointment: Appointment, form: CancelForm, status: int = 200) -> Response:
    return render(
        "booking/cancel.html",
        status=status,
        appointment=appointment,
        form=form,
        outcome="invalid" if status == 422 else None,
    )


def _attack_form(appointment: Appointment) -> AttackForm:
    form = AttackForm()
    form.offer(list_switches(appointment))
    return form


def _render_attack(appointment: Appointment, form: AttackForm, status: int = 200) -> Response:
    return render(
        "booking/attack.html",
        status=status,
        appointment=appointment,
        form=form,
        outcome="invalid" if status == 422 else None,
    )


def _find_with_brief(key: str) -> Appointment:
    appointment = _find(key)
    if appointment.assessment is None or appointment.assessment.finished_at is None:
        abort(404)
    return appointment


def _render_birth_date(appointment: Appointment, form: BirthDateForm, status: int = 200) -> Response:
    outcome = {422: "invalid", 429: "limited"}.get(status)
    return render("booking/birth_date.html", status=status, appointment=appointment, form=form, outcome=outcome)


def _offer_wishes(form: WishesForm) -> None:
    form.offer(get_set_up().modes, get_set_up().locations)


def _render_earlier(appointment: Appointment, form: WishesForm, status: int = 200) -> Response:
    _offer_wishes(form)
    entry = queries.get_entry(appointment.id)
    return render(
        "booking/earlier.html",
        status=status,
        appointment=appointment,
        form=form,
        waiting=entry is not None and entry.closed_at is None,
        outcome="invalid" if status == 422 else None,
    )
