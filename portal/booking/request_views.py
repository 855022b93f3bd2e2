"""`/request/`: what people ask of the clinic besides a time: to be called."""

from __future__ import annotations

from flask import Blueprint, Response

from portal.booking import services
from portal.booking.forms import CallBackForm
from portal.core.crypto import new_token
from portal.core.htmx import render
from portal.referrals import journeys

blueprint = Blueprint("requests", __name__, url_prefix="/request")


@blueprint.get("/call-back")
def ask_call_back() -> Response:
    return _render(CallBackForm(key=new_token()))


@blueprint.post("/call-back")
def save_call_back() -> Response:
    form = CallBackForm()
    if not form.validate():
        return _render(form, status=422)
    services.ask_call_back(journeys.ensure(), form.wish(), form.key.data)
    return render("requests/call_back_asked.html", form=form)


def _render(form: CallBackForm, status: int = 200) -> Response:
    return render("requests/call_back.html", status=status, form=form, outcome="invalid" if status == 422 else None)
