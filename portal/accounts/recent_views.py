"""`/desk/verify`: what could do harm asks once more who is there, if that was not shown within 15 minutes.

What was being sent is kept in the page that asks, never on the server, and can be sent from the page after it.
"""

from __future__ import annotations

import json

from flask import Blueprint, redirect, request
from werkzeug import Response

from portal.accounts import passkeys, passwords, second_step, sessions, shared_screen
from portal.accounts.addresses import local_path
from portal.accounts.forms import ConfirmForm
from portal.accounts.models import Proof
from portal.accounts.throttle import Refused, TooMany
from portal.core.htmx import render

blueprint = Blueprint("recent", __name__, url_prefix="/desk/verify")


@blueprint.get("")
def ask() -> Response:
    return render_question(local_path(request.args.get("next")))


@blueprint.post("")
def confirm() -> Response:
    form, row = ConfirmForm(), shared_screen.current_session()
    form.validate()
    by_code = bool(form.code.data) and not form.password.data
    try:
        if by_code:
            second_step.confirm(row, form.code.data or "")
        else:
            passwords.confirm(row, form.password.data or "")
    except Refused:
        field, wrong = (form.code, "That code is not right, or has been used.") if by_code else (
            form.password, "The password is not right.")  # fmt: skip
        field.errors = [wrong]
        return _render(form, 422)
    except TooMany as error:
        form.password.errors = [str(error)]
        return _render(form, 429)
    return _go_on(form, Proof.CODE if by_code else Proof.PASSWORD)


@blueprint.post("/passkey")
def use_passkey() -> Response:
    form, row = ConfirmForm(), shared_screen.current_session()
    form.validate()
    try:
        passkeys.check(request.form.get("credential", ""), row.user_id)
    except Refused:
        form.password.errors = ["That passkey did not work here. Try once more, or enter your password."]
        return _render(form, 422)
    return _go_on(form, Proof.PASSKEY)


def render_question(next_: str, kept: str = "", status: int = 200) -> Response:
    """The page that asks, with what was being sent to `next_` as JSON."""
    return _render(ConfirmForm(formdata=None, data={"next": next_, "kept": kept}), status)


def _render(form: ConfirmForm, status: int) -> Response:
    user = shared_screen.current_session().user
    outcome = {422: "invalid", 429: "limited"}.get(status)
    has_passkey = second_step.has_passkey(user)
    return render("security/verify.html", status=status, form=form, user=user, has_passkey=has_passkey, outcome=outcome)


def _go_on(form: ConfirmForm, by: Proof) -> Response:
    row = shared_screen.current_session()
    sessions.note_proof(row.id, row.user_id, by)
    target, kept = local_path(form.next.data), _read(form.kept.data)
    if kept is None:
        return redirect(target, 303)
    return render("security/go_on.html", target=target, kept=kept)


def _read(kept: str | None) -> list[tuple[str, str]] | None:
    """What was being sent, by name; None where nothing was."""
    try:
        return [(str(name), str(value)) for name, value in json.loads(kept or "null")]
    except (ValueError, TypeError, RecursionError):
        return None
