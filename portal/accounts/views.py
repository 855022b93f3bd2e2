"""`/desk/welcome/<token>`: somebody who was invited chooses a password. Nothing happens on GET."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.accounts import invitations
from portal.accounts.clinic_names import clinic_names
from portal.accounts.forms import PasswordForm
from portal.accounts.invitations import InvitationEnded
from portal.core.htmx import render

blueprint = Blueprint("welcome", __name__, url_prefix="/desk/welcome/<token>")


@blueprint.errorhandler(InvitationEnded)
def explain_end(_error: Exception) -> Response:
    """The same for a link that has ended and for one that never was."""
    return render("accounts/invitation_ended.html", status=404)


@blueprint.get("")
def choose_password(token: str) -> Response:
    return _render(token, PasswordForm())


@blueprint.post("")
def save_password(token: str) -> AnyResponse:
    form, user = PasswordForm(), invitations.find_by_link(token)
    if not form.fits(user.email, user.name, *clinic_names()):
        return _render(token, form, status=422)
    invitations.accept(token, form.password.data or "")
    flash("Your password is set. Sign in with it.")
    return redirect(url_for("sign_in.show"), 303)


def _render(token: str, form: PasswordForm, status: int = 200) -> Response:
    user = invitations.find_by_link(token)
    outcome = "invalid" if status == 422 else None
    return render("accounts/welcome.html", status=status, token=token, user=user, form=form, outcome=outcome)
