"""`/desk/passkeys`: what the browser asks while it makes or uses one, and the passkeys of one's own account."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, url_for
from flask_login import current_user
from werkzeug import Response as AnyResponse

from portal.accounts import passkeys, shared_screen
from portal.accounts.clinic_names import clinic_names
from portal.accounts.forms import PasskeyForm
from portal.accounts.passkeys import NameTaken
from portal.accounts.second_step import LastSecondStep
from portal.accounts.second_step_views import LAST, go_on
from portal.accounts.throttle import Refused
from portal.core.htmx import render

blueprint = Blueprint("passkeys", __name__, url_prefix="/desk/passkeys")


@blueprint.post("/use")
def ask_to_use() -> Response:
    """What the browser needs to use one: of whoever is there, where that is known."""
    awaiting = shared_screen.find_awaiting()
    user = current_user if current_user.is_authenticated else awaiting and awaiting.user
    return Response(passkeys.ask_to_use(user or None), mimetype="application/json")


@blueprint.post("/make")
def ask_to_make() -> Response:
    """What the browser needs to make one."""
    user = shared_screen.current_session().user
    return Response(passkeys.ask_to_make(user, clinic_names()[1]), mimetype="application/json")


@blueprint.get("/new")
def ask() -> Response:
    return _render(PasskeyForm(formdata=None))


@blueprint.post("/new")
def add() -> AnyResponse:
    form = PasskeyForm()
    if not form.validate():
        return _render(form, 422)
    try:
        token, codes = passkeys.add(shared_screen.current_session(), form.credential.data or "", form.name.data or "")
    except NameTaken:
        form.name.errors = ["You have a passkey of that name: choose another."]
        return _render(form, 422)
    except Refused:
        form.name.errors = ["The passkey could not be made. Nothing was changed: try once more."]
        return _render(form, 422)
    return go_on(token, codes, "Your passkey is set up. You can sign in with it from now on.")


@blueprint.post("/<int:passkey_id>/remove")
def remove(passkey_id: int) -> AnyResponse:
    try:
        token = passkeys.remove(shared_screen.current_session(), passkey_id)
    except LookupError:
        abort(404)
    except LastSecondStep:
        flash(LAST)
        return redirect(url_for("account.show"), 303)
    return go_on(token, [], "That passkey works no more. Remove it from the device, too.")


def _render(form: PasskeyForm, status: int = 200) -> Response:
    outcome = "invalid" if status == 422 else None
    return render(
        "accounts/passkey.html", status=status, form=form, required=shared_screen.needs_second_step(), outcome=outcome
    )
