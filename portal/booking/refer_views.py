"""`/refer/`: for practices: a link and QR code for their patients, or one patient referred with consent."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, Response, abort, redirect, request, session, url_for
from werkzeug import Response as AnyResponse

from portal.booking import referring
from portal.booking.refer_forms import PracticeForm, ReferralForm
from portal.booking.referring import TooManyNow
from portal.core import clock, guards
from portal.core.crypto import new_token
from portal.core.guards import ONCE_MORE
from portal.core.htmx import render
from portal.referrals import qr
from portal.referrals.models import LinkState, ReferralLink
from portal.referrals.queries import find_link

blueprint = Blueprint("refer", __name__, url_prefix="/refer")
SENT = "referral-sent"  # when this browser has sent one
THANKS_FOR = timedelta(hours=1)


@blueprint.get("/")
def show_choices() -> Response:
    return _render_choices(PracticeForm(key=new_token()))


@blueprint.post("/")
def make_link() -> AnyResponse:
    form = PracticeForm()
    if not form.validate():
        return _render_choices(form, status=422)
    if guards.is_trapped() or guards.is_fast():
        return _render_choices(form, status=422, problem=ONCE_MORE)
    try:
        code = referring.make_link(form.practice.data, form.key.data)
    except TooManyNow:
        return _render_choices(form, status=429)
    return redirect(url_for(".show_link", code=code), 303)


@blueprint.get("/link/<code>")
def show_link(code: str) -> Response:
    link = _link_or_404(code)
    return render("refer/link.html", link=link, address=qr.address_of(link))


@blueprint.get("/link/<code>/qr.svg")
def show_qr(code: str) -> Response:
    return qr.send_svg(_link_or_404(code))


@blueprint.get("/link/<code>/sheet.pdf")
def print_sheet(code: str) -> AnyResponse:
    return qr.send_sheet(_link_or_404(code), otherwise=url_for(".show_qr", code=code))


@blueprint.get("/patient")
def ask_patient() -> Response:
    link = find_link(request.args.get("code", ""))
    practice = link.label if link and link.kind == "clinician" else None
    form = ReferralForm(key=new_token(), code=link.code if link else "", practice=practice)
    return _render_patient(form)


@blueprint.post("/patient")
def refer_patient() -> AnyResponse:
    form = ReferralForm()
    if not form.validate():
        return _render_patient(form, status=422)
    if guards.is_trapped() or guards.is_fast():
        return _render_patient(form, status=422, problem=ONCE_MORE)
    try:
        referring.refer(form.patient(), form.referral(), form.code.data or "", form.key.data)
    except TooManyNow:
        return _render_patient(form, status=429)
    session[SENT] = int(clock.now().timestamp())
    return redirect(url_for(".show_thanks"), 303)


@blueprint.get("/patient/sent")
def show_thanks() -> AnyResponse:
    if clock.now().timestamp() - session.get(SENT, 0) > THANKS_FOR.total_seconds():
        return redirect(url_for(".ask_patient"), 303)
    return render("refer/sent.html")


OUTCOMES = {422: "invalid", 429: "limited"}


def _render_choices(form: PracticeForm, status: int = 200, problem: str | None = None) -> Response:
    return render("refer/choices.html", status=status, form=form, problem=problem, outcome=OUTCOMES.get(status))


def _render_patient(form: ReferralForm, status: int = 200, problem: str | None = None) -> Response:
    return render("refer/patient.html", status=status, form=form, problem=problem, outcome=OUTCOMES.get(status))


def _link_or_404(code: str) -> ReferralLink:
    """The link of a practice; others are no business of the public."""
    link = find_link(code)
    return link if link and link.kind == "clinician" and link.state == LinkState.LIVE else abort(404)
