"""`/desk/waitlist`: who would come earlier, what is offered to whom, and who fits a time that was given back."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.booking import waitlist
from portal.booking.wishes import Wishes
from portal.core import clock
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.core.numbers import read_number
from portal.frontdesk import services
from portal.scheduling.models import Slot
from portal.scheduling.queries import find_freed_slots, get_clinic, get_slot
from portal.scheduling.services import SlotTaken

MOST_MATCHES = 5

blueprint = Blueprint("waitlist_desk", __name__, url_prefix="/desk/waitlist")


@blueprint.get("")
def show_list() -> Response:
    """The list; with `slot` in the address also who fits that free time."""
    services.record_list_seen("waitlist")
    asked = get_slot(number) if (number := read_number(request.args.get("slot"))) is not None else None
    freed = [slot for slot in find_freed_slots() if asked is None or slot.id != asked.id]
    clinic = get_clinic()
    return render(
        "frontdesk/waitlist.html",
        times=[(slot, waitlist.rank_matches(slot)[:MOST_MATCHES]) for slot in ([asked] if asked else []) + freed],
        offers=waitlist.list_open_offers(),
        entries=waitlist.list_entries(),
        answer_time=lambda slot: waitlist.answer_time(slot, clinic),
        wishes=lambda entry: Wishes.from_json(entry.wishes).in_words(),
        form=BaseForm(),
        now=clock.now(),
        can_answer=waitlist.can_answer,
        refused=request.args.get("refused"),
    )


@blueprint.post("/offer/<int:slot_id>/<uuid:entry_id>")
def offer(slot_id: int, entry_id: UUID) -> AnyResponse:
    slot: Slot = get_slot(slot_id) or abort(404)
    try:
        waitlist.offer_to(slot.id, entry_id)
    except SlotTaken:
        return redirect(url_for(".show_list", refused="late"), 303)
    except waitlist.CannotAnswer:
        return redirect(url_for(".show_list", refused="call"), 303)
    return redirect(url_for(".show_list"), 303)
