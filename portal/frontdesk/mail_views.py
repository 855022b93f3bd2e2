"""`/desk/mail`: mail that did not arrive, and what staff make of a mail: now, again, or not at all."""

from __future__ import annotations

from collections.abc import Set

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.access import may_use
from portal.booking.queries import find_visits, get_appointment
from portal.core.htmx import render
from portal.frontdesk.mails import ABOUT_ACCOUNTS
from portal.frontdesk.services import record_list_seen
from portal.notifications import services
from portal.notifications.models import OutgoingMail
from portal.notifications.queries import get_mail, held_since, list_held, list_problems

blueprint = Blueprint("mail", __name__, url_prefix="/desk/mail")


@blueprint.get("/")
def list_troubled() -> Response:
    mails, held, since, theirs = list_problems(), list_held(), held_since(), _kinds_of_others()
    record_list_seen("mail")
    return render(
        "frontdesk/mail.html",
        mails=mails,
        doubtful=[mail for mail in held if since is None or mail.due_at < since],
        later=[mail for mail in held if since is not None and mail.due_at >= since and mail.kind not in theirs],
        theirs=theirs,
        visits=find_visits({mail.about_id for mail in (*mails, *held)}),
    )


@blueprint.post("/held")
def decide_held() -> AnyResponse:
    """What becomes of all the mail that a restore has put on hold, or of what cannot have left before it."""
    choice = request.form.get("choice")
    if choice == "later":
        flash(f"{services.release_held(only_later=True, but=_kinds_of_others())} mails leave when they are due.")
    elif choice == "none":
        flash(f"{services.withhold_held(but=_kinds_of_others())} mails will not leave.")
    else:
        abort(400)
    return redirect(url_for(".list_troubled"), 303)


@blueprint.post("/<int:mail_id>/send")
def send_now(mail_id: int) -> AnyResponse:
    mail = _own_or_refuse(mail_id)
    return _back(mail, services.send_now(mail.id))


@blueprint.post("/<int:mail_id>/withhold")
def withhold(mail_id: int) -> AnyResponse:
    mail = _own_or_refuse(mail_id)
    return _back(mail, services.withhold(mail.id))


@blueprint.post("/<int:mail_id>/settle")
def settle(mail_id: int) -> AnyResponse:
    services.settle_problem(_own_or_refuse(mail_id).id)
    return redirect(url_for(".list_troubled"), 303)


def _kinds_of_others() -> Set[str]:
    """The kinds of mail that whoever is signed in does not decide on: who invites decides on mail about accounts."""
    return frozenset() if may_use("staff.invite") else ABOUT_ACCOUNTS


def _own_or_refuse(mail_id: int) -> OutgoingMail:
    """The mail of that number, if whoever is signed in decides on it."""
    mail = get_mail(mail_id) or abort(404)
    return mail if mail.kind not in _kinds_of_others() else abort(403)


def _back(mail: OutgoingMail, done: bool) -> AnyResponse:
    """To the list one comes from, or to the visit that it is about, with a word when it had left by then."""
    if request.form.get("back") == "list" or get_appointment(mail.about_id) is None:
        return redirect(url_for(".list_troubled"), 303)
    wrong = None if done else "late"
    return redirect(url_for("frontdesk.show_visit", appointment_id=mail.about_id, wrong=wrong), 303)
