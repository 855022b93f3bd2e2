"""`/waitlist/<token>`: an earlier time that was offered, taken or left by its link. Nothing happens on GET."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.booking import changes, links, queries, visit_access, visit_news, waitlist
from portal.booking.changes import TooLate
from portal.booking.forms import OfferForm
from portal.booking.models import Offer
from portal.core import clock
from portal.core.htmx import render
from portal.scheduling.services import SlotTaken

blueprint = Blueprint("waitlist", __name__, url_prefix="/waitlist/<token>")


@blueprint.get("")
def show_offer(token: str) -> Response:
    return _render(_find(token))


@blueprint.post("")
def answer(token: str) -> AnyResponse:
    offer, form = _find(token), OfferForm()
    if not form.validate():
        return _render(offer, "invalid", 422, form)
    return ANSWERS[form.choice.data](token)


# Each answer has an address of its own, too: pages of the release before send it there.
@blueprint.post("/accept")
def accept(token: str) -> AnyResponse:
    _find(token)
    try:
        appointment = changes.accept_offer(token)
    except SlotTaken:
        return _render(_find(token), "taken", 409)
    except TooLate:
        return _render(_find(token), status=409)
    visit_access.grant(appointment)
    visit_news.tell_once(appointment, "moved")
    return redirect(url_for("visit.show_visit", key=appointment.reference), 303)


@blueprint.post("/decline")
def decline(token: str) -> AnyResponse:
    _find(token)
    return _render(waitlist.decline(token), "kept")


@blueprint.post("/leave")
def leave(token: str) -> AnyResponse:
    offer = _find(token)
    waitlist.close(offer.entry.appointment_id)
    return _render(_find(token), "kept")


ANSWERS = {"accept": accept, "decline": decline, "leave": leave}


def _find(token: str) -> Offer:
    """The offer of that link, until the visit is over that could be moved to it."""
    offer = queries.find_offer(token) or abort(404)
    visit = offer.entry.appointment
    return offer if links.is_live(visit) and visit.slot.ends_at > clock.now() else abort(404)


def _render(offer: Offer, outcome: str | None = None, status: int = 200, form: OfferForm | None = None) -> Response:
    appointment, form = offer.entry.appointment, form or OfferForm(formdata=None)
    can_take = outcome not in {"taken", "kept"} and waitlist.can_take(offer)
    if not can_take:
        form.leave_out_earlier()
    outcome = outcome or ("held" if offer.state == "open" else None)
    return render(
        "booking/offer.html",
        status=status,
        offer=offer,
        appointment=appointment,
        waiting=offer.entry.closed_at is None,
        can_take=can_take,
        form=form,
        outcome=outcome if appointment.stands else "unavailable",
    )
