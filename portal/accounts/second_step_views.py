"""`/desk/second-factor`: set a second step up, by an app or a passkey, and make recovery codes."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request, url_for
from markupsafe import Markup
from werkzeug import Response as AnyResponse

from portal.accounts import second_step, shared_screen
from portal.accounts.addresses import local_path
from portal.accounts.forms import CodeForm
from portal.accounts.second_step import LastSecondStep
from portal.accounts.throttle import Refused, TooMany
from portal.core.forms import BaseForm
from portal.core.htmx import render

LAST = "This is your only second step, and the clinic requires one: set up another first."

blueprint = Blueprint("second_step", __name__, url_prefix="/desk")


@blueprint.get("/second-factor")
def choose() -> Response:
    return render(
        "accounts/second_step.html", required=shared_screen.needs_second_step(), plain=BaseForm(formdata=None)
    )


@blueprint.post("/second-factor/app")
def begin_app() -> AnyResponse:
    second_step.begin_app(shared_screen.current_session())
    return redirect(url_for(".show_app"), 303)


@blueprint.get("/second-factor/app")
def show_app() -> AnyResponse:
    if not shared_screen.current_session().new_totp:
        return _lead_back()
    return _render_app(CodeForm(formdata=None))


@blueprint.post("/second-factor/app/code")
def confirm_app() -> AnyResponse:
    form, row = CodeForm(), shared_screen.current_session()
    if not row.new_totp:
        return _lead_back()
    if not form.validate():
        return _render_app(form, 422)
    try:
        token, codes = second_step.confirm_app(row, form.code.data or "")
    except Refused:
        form.code.errors = ["That is not the code that the app shows now. Type the six digits that stand there."]
        return _render_app(form, 422)
    except TooMany as error:
        form.code.errors = [str(error)]
        return _render_app(form, 429)
    return go_on(token, codes, "Your app is set up. From now on it is asked for after your password.")


@blueprint.post("/second-factor/app/remove")
def remove_app() -> AnyResponse:
    row = shared_screen.current_session()
    if not row.user.tf_totp_secret:
        return redirect(url_for("account.show"), 303)
    try:
        token = second_step.remove_app(row)
    except LastSecondStep:
        flash(LAST)
        return redirect(url_for("account.show"), 303)
    return go_on(token, [], "The app is not asked for any more.")


@blueprint.post("/recovery-codes")
def renew_recovery_codes() -> AnyResponse:
    user = shared_screen.current_session().user
    if not second_step.has_any(user):
        return redirect(url_for(".choose"), 303)
    return _render_codes(second_step.renew_recovery_codes(user.id))


def go_on(token: str, codes: list[str], done: str) -> AnyResponse:
    """Go on under a session's new id; recovery codes that were made on the way are shown, once."""
    shared_screen.go_on_as(token)
    if codes:
        return _render_codes(codes, done)
    flash(done)
    return redirect(url_for("account.show"), 303)


def _lead_back() -> AnyResponse:
    """No app is being set up: nothing was begun, or it is done, as somebody finds who reloads the page of the codes."""
    if not second_step.has_any(shared_screen.current_session().user):
        return redirect(url_for(".choose"), 303)
    flash("Your second step is set up. If you did not keep the recovery codes, make new ones here.")
    return redirect(url_for("account.show"), 303)


def _render_app(form: CodeForm, status: int = 200) -> Response:
    drawing, key = second_step.draw_key(shared_screen.current_session())
    outcome = {422: "invalid", 429: "limited"}.get(status)
    picture = Markup(drawing)  # noqa: S704 - drawn by our own server
    return render("accounts/app.html", status=status, form=form, drawing=picture, key=key, outcome=outcome)


def _render_codes(codes: list[str], done: str | None = None) -> Response:
    return render("accounts/recovery_codes.html", codes=codes, done=done, next=local_path(request.args.get("next")))
