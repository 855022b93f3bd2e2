"""`/request/`: what people ask of the clinic besides a free time: to be called, or a time that fits them."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.booking import requests, services
from portal.booking.forms import CallBackForm, TimeRequestForm
from portal.booking.models import RequestKind
from portal.core.crypto import new_token
from portal.core.htmx import render
from portal.referrals import journeys
from portal.scheduling.set_up import get_set_up

blueprint = Blueprint("requests", __name__, url_prefix="/request")


@blueprint.get("/call-back")
def ask_call_back() -> Response:
    return _render_call_back(CallBackForm(key=new_token()))


@blueprint.post("/call-back")
def save_call_back() -> Response:
    form = CallBackForm()
    if not form.validate():
        return _render_call_back(form, status=422)
    lane = requests.ask(RequestKind.CALL_BACK, journeys.ensure(), form.asked(), form.key.data)
    return render("requests/call_back_asked.html", form=form, lane=lane)


@blueprint.get("/time")
def ask_time() -> Response:
    services.require_standing(journeys.current())
    return _render_time(TimeRequestForm(key=new_token()))


@blueprint.post("/time")
def save_time() -> Response:
    services.require_standing(journeys.current(), of_now=False)  # the page has asked; the desk asks again
    form = TimeRequestForm()
    form.offer(get_set_up().modes, get_set_up().locations)
    if not form.validate():
        return _render_time(form, status=422)
    requests.ask(RequestKind.TIME, journeys.ensure(), form.asked(), form.key.data)
    return render("requests/time_asked.html", form=form, wishes=form.wishes())


def _render_call_back(form: CallBackForm, status: int = 200) -> Response:
    lane = requests.lane_of(journeys.current())
    outcome = "invalid" if status == 422 else None
    return render("requests/call_back.html", status=status, form=form, lane=lane, outcome=outcome)


def _render_time(form: TimeRequestForm, status: int = 200) -> Response:
    form.offer(get_set_up().modes, get_set_up().locations)
    return render("requests/time.html", status=status, form=form, outcome="invalid" if status == 422 else None)
