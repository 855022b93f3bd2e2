"""`/desk/mail`: mail that did not arrive, and what staff make of a mail: now, again, or not at all."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, abort, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import changes
from portal.booking.queries import find_visits, get_appointment
from portal.core.htmx import render
from portal.frontdesk import services
from portal.frontdesk.forms import AddressForm
from portal.notifications.queries import get_mail, list_problems
from portal.notifications.services import send_now as let_go
from portal.notifications.services import settle_problem
from portal.notifications.services import withhold as hold_back

blueprint = Blueprint("mail", __name__, url_prefix="/desk/mail")


@blueprint.get("/")
def list_troubled() -> Response:
    mails = list_problems()
    services.record_list_seen("mail")
    return render("frontdesk/mail.html", mails=mails, visits=find_visits({mail.about_id for mail in mails}))


@blueprint.post("/<int:mail_id>/send")
def send_now(mail_id: int) -> AnyResponse:
    return _back(mail_id, let_go(mail_id))


@blueprint.post("/<int:mail_id>/withhold")
def withhold(mail_id: int) -> AnyResponse:
    return _back(mail_id, hold_back(mail_id))


@blueprint.post("/<int:mail_id>/settle")
def settle(mail_id: int) -> AnyResponse:
    settle_problem(mail_id) or abort(404)
    return redirect(url_for(".list_troubled"), 303)


@blueprint.post("/address/<uuid:appointment_id>")
def correct_address(appointment_id: UUID) -> AnyResponse:
    """Another address for the visit's patient; what did not arrive is sent there."""
    get_appointment(appointment_id) or abort(404)
    form = AddressForm()
    if form.validate():
        changes.correct_address(appointment_id, form.email.data)
        return redirect(url_for("frontdesk.show_visit", appointment_id=appointment_id), 303)
    return redirect(url_for("frontdesk.show_visit", appointment_id=appointment_id, wrong="address"), 303)


def _back(mail_id: int, done: bool) -> AnyResponse:
    """To the visit that the mail is about; with a word when the mail had left by then."""
    mail = get_mail(mail_id) or abort(404)
    if get_appointment(mail.about_id) is None:
        return redirect(url_for(".list_troubled"), 303)
    wrong = None if done else "late"
    return redirect(url_for("frontdesk.show_visit", appointment_id=mail.about_id, wrong=wrong), 303)
