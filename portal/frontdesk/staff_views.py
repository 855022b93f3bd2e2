"""`/desk/staff`: colleagues' accounts. A password is chosen by its owner, from an invitation by mail."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.accounts import roster
from portal.accounts.models import User
from portal.accounts.queries import get_member
from portal.accounts.queries import list_staff as list_accounts
from portal.accounts.roster import LastManager, OwnAccount
from portal.accounts.second_step import has_any
from portal.accounts.services import AccountExists, StaffRole
from portal.accounts.sessions import list_open
from portal.audit.queries import find_latest
from portal.core.edits import ChangedMeanwhile
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.frontdesk.acting import get_staff_id
from portal.frontdesk.history import write_history
from portal.frontdesk.seen_form import Difference
from portal.frontdesk.staff_forms import InviteForm, MemberForm
from portal.scheduling.queries import get_provider, get_zone, list_providers

blueprint = Blueprint("staff", __name__, url_prefix="/desk/staff")

OWN = "This is your own account: ask another manager to do this."
LAST = "Nobody else could manage the portal then: make somebody else a manager first."


@blueprint.get("")
def list_staff() -> Response:
    return _render_list(_offered(InviteForm()))


@blueprint.post("")
def invite() -> AnyResponse:
    form = _offered(InviteForm())
    if not form.validate():
        return _render_list(form, 422)
    try:
        roster.invite(form.email.data, form.name.data, StaffRole(form.role.data), form.provider_id.data)
    except AccountExists:
        form.email.errors = ["There is an account with this address already: see the list."]
        return _render_list(form, 422)
    flash(f"{form.name.data} gets a mail with a link to choose a password. It works for three days.")
    return redirect(url_for(".list_staff"), 303)


@blueprint.get("/<int:user_id>")
def show_member(user_id: int) -> Response:
    user = get_member(user_id) or abort(404)
    return _render_member(user, _offered(MemberForm.showing(roster.read_member(user)), user))


@blueprint.post("/<int:user_id>")
def change_member(user_id: int) -> AnyResponse:
    user = get_member(user_id) or abort(404)
    form = _offered(MemberForm.showing(roster.read_member(user)), user)
    if not form.validate():
        return _render_member(user, form, 422)
    try:
        roster.change_member(user_id, form.values(), form.read_seen() or {}, get_staff_id())
    except ChangedMeanwhile as error:
        return _render_member(user, form, 409, differences=form.take_over(error.stored, form.values()))
    except (OwnAccount, LastManager) as error:
        form.role.errors = [OWN if isinstance(error, OwnAccount) else LAST]
        return _render_member(user, form, 422)
    flash("Saved.")
    return redirect(url_for(".list_staff"), 303)


@blueprint.post("/<int:user_id>/close")
def close_member(user_id: int) -> AnyResponse:
    return _act(user_id, roster.close_member, "is closed: nobody can sign in with it.")


@blueprint.post("/<int:user_id>/invite")
def invite_anew(user_id: int) -> AnyResponse:
    return _act(user_id, roster.invite_anew, "gets a mail with a link to choose a password. It works for three days.")


@blueprint.post("/<int:user_id>/end-sessions")
def end_sessions(user_id: int) -> AnyResponse:
    return _act(user_id, roster.end_sessions, "is signed out everywhere.")


@blueprint.post("/<int:user_id>/reset-second-step")
def reset_second_step(user_id: int) -> AnyResponse:
    done = "signs in with the password alone the next time, sets up a second step anew, and hears of it by mail."
    return _act(user_id, roster.reset_second_step, done)


def _act(user_id: int, act: roster.Act, done: str) -> AnyResponse:
    user = get_member(user_id) or abort(404)
    try:
        act(user_id, get_staff_id())
    except (OwnAccount, LastManager) as error:
        words = OWN if isinstance(error, OwnAccount) else LAST
        return _render_member(user, _offered(MemberForm.showing(roster.read_member(user)), user), 409, refused=words)
    flash(f"{user.name} {done}")
    return redirect(url_for(".list_staff"), 303)


def _offered(form: InviteForm | MemberForm, user: User | None = None) -> InviteForm | MemberForm:
    """The form with whose diary it can be; the one that an account has is among them, in use or not."""
    own = get_provider(user.provider_id) if user is not None and user.provider_id else None
    form.offer([*list_providers(), *([own] if own is not None and not own.active else [])])
    return form


def _render_list(form: InviteForm | MemberForm, status: int = 200) -> Response:
    users = list_accounts()
    signed_in = find_latest("signed-in", [f"staff:{user.id}" for user in users])
    return render(
        "frontdesk/setup/staff.html",
        status=status,
        form=form,
        members=[(user, signed_in.get(f"staff:{user.id}")) for user in users],
        diaries={provider.id: provider.name for provider in list_providers()},
    )


def _render_member(
    user: User,
    form: InviteForm | MemberForm,
    status: int = 200,
    differences: list[Difference] | None = None,
    refused: str | None = None,
) -> Response:
    return render(
        "frontdesk/setup/member.html",
        status=status,
        member=user,
        form=form,
        own=user.id == get_staff_id(),
        open_sessions=len(list_open(user.id)),
        has_second_step=has_any(user),
        differences=differences,
        refused=refused,
        history=write_history(f"staff:{user.id}", form),
        zone=get_zone(),
        plain=BaseForm(formdata=None),
    )
