"""`/desk/account`, `/desk/sessions`: one's own account, and where one is signed in."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.accounts import passkeys, passwords, sessions, shared_screen
from portal.accounts.clinic_names import clinic_names
from portal.accounts.forms import ChangePasswordForm
from portal.accounts.throttle import Refused, TooMany
from portal.core.forms import BaseForm
from portal.core.htmx import render

blueprint = Blueprint("account", __name__, url_prefix="/desk")


@blueprint.get("/account")
def show() -> Response:
    user = shared_screen.current_session().user
    return render(
        "accounts/account.html",
        user=user,
        passkeys=passkeys.list_passkeys(user.id),
        codes_left=len(user.mf_recovery_codes or []),
        open_sessions=len(sessions.list_open(user.id)),
        plain=BaseForm(formdata=None),
    )


@blueprint.get("/account/password")
def ask_password() -> Response:
    return _render_password(ChangePasswordForm(formdata=None))


@blueprint.post("/account/password")
def change_password() -> AnyResponse:
    form, row = ChangePasswordForm(), shared_screen.current_session()
    user = row.user
    if not form.fits(user.email, user.name, *clinic_names()):
        return _render_password(form, 422)
    try:
        passwords.confirm(row, form.current.data or "")
    except Refused:
        form.current.errors = ["That is not your password now."]
        return _render_password(form, 422)
    except TooMany as error:
        form.current.errors = [str(error)]
        return _render_password(form, 429)
    shared_screen.go_on_as(passwords.change(row, form.password.data or ""))
    flash("Your password is changed. You are signed out everywhere else.")
    return redirect(url_for(".show"), 303)


@blueprint.get("/sessions")
def list_sessions() -> Response:
    own = shared_screen.current_session()
    return render(
        "accounts/sessions.html",
        own=own,
        is_open=sessions.is_open,
        rows=sorted(sessions.list_open(own.user_id), key=lambda row: row.id != own.id),
        plain=BaseForm(formdata=None),
    )


@blueprint.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> AnyResponse:
    own = shared_screen.current_session()
    if session_id == own.id:
        shared_screen.leave("signed-out")
        return redirect(url_for("sign_in.show"), 303)
    try:
        ended = sessions.end(session_id, own.user_id, "session-ended")
    except LookupError:
        abort(404)
    flash("Signed out there." if ended else "That session had ended already.")
    return redirect(url_for(".list_sessions"), 303)


@blueprint.post("/sessions/end-others")
def end_other_sessions() -> AnyResponse:
    own = shared_screen.current_session()
    ended = sessions.end_all(own.user_id, "ended by their owner", but=own.id)
    flash("You are signed out everywhere else." if ended else "You were signed in nowhere else.")
    return redirect(url_for(".list_sessions"), 303)


def _render_password(form: ChangePasswordForm, status: int = 200) -> Response:
    outcome = {422: "invalid", 429: "limited"}.get(status)
    user = shared_screen.current_session().user
    return render("accounts/password.html", status=status, form=form, user=user, outcome=outcome)
