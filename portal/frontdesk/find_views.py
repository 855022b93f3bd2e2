"""`/desk/find`, `/desk/keys`: everything within two key presses."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, session, url_for
from werkzeug import Response as AnyResponse

from portal.core.forms import clean
from portal.core.htmx import htmx, render
from portal.frontdesk import commands, services

blueprint = Blueprint("find", __name__, url_prefix="/desk")

# What the keys do, as the legend says it; static/js/desk.js knows the same ones.
KEYS = {
    "Anywhere": {
        "/ or Ctrl K": "find a patient, a day, a clinician, an action",
        "?": "this list",
        "u": "undo what was just done",
        "h": "mask names on lists, or show them",
        "t": "today",
    },
    "On the board": {
        "arrows": "from one visit or free time to the next",
        "Enter": "open it; with a visit picked up: put it down here",
        "m": "move: pick the visit up",
        "c": "cancel",
        "b": "headache brief",
        "[ and ]": "the day before, the day after",
    },
    "On a visit, here or on the board": {
        "a": "has arrived",
        "r": "is in the room",
        "d": "done",
        "n": "did not come",
    },
}
KEYS_OFF = "keys_off"


def are_keys_off() -> bool:
    """Whether single keys do nothing in this browser."""
    return KEYS_OFF in session


@blueprint.get("/find")
def show_find() -> Response:
    return render("frontdesk/find.html", hits=[], text="")


@blueprint.post("/find")
def find() -> AnyResponse:
    """What fits the words, sent in the form's body so that no name stands in an address.

    What is meant beyond doubt is opened at once when the whole page was asked for.
    """
    text = clean(request.form.get("q", ""))
    hits = commands.find(text)
    if found := [hit.patient_id for hit in hits if hit.patient_id]:
        services.record_patients_found(found)
    if not htmx.partial and (meant := commands.choose(hits, text)):
        return redirect(meant.url, 303)
    return render("frontdesk/find.html", "hits", hits=hits, text=text)


@blueprint.get("/keys")
def show_keys() -> Response:
    return render("frontdesk/keys.html", "keys", keys=KEYS, off=are_keys_off())


@blueprint.post("/keys")
def switch_keys() -> AnyResponse:
    """Single keys on or off in this browser: who speaks to the computer wants them off."""
    if session.pop(KEYS_OFF, None) is None:
        session[KEYS_OFF] = True
    return redirect(url_for(".show_keys"), 303)
