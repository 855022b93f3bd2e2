"""`/desk/sign-in`, the second step after it, and `/desk/sign-out`."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, g, redirect, request, url_for
from flask_login import current_user
from werkzeug import Response as AnyResponse

from portal.accounts import devices, passkeys, passwords, second_step, sessions, shared_screen
from portal.accounts.addresses import local_path
from portal.accounts.forms import CodeForm, RecoveryForm, SignInForm
from portal.accounts.models import Proof, User
from portal.accounts.sessions import AnsweredBefore
from portal.accounts.throttle import Refused, TooMany
from portal.core.htmx import render

WRONG = "E-mail or password is not right."
WRONG_PASSKEY = "That passkey did not work here. Try once more, or sign in with your password."

blueprint = Blueprint("sign_in", __name__, url_prefix="/desk")


@blueprint.get("/sign-in")
def show() -> AnyResponse:
    if current_user.is_authenticated:
        return redirect(local_path(request.args.get("next")))
    return _render(SignInForm(formdata=None, data={"next": request.args.get("next", "")}))


@blueprint.post("/sign-in")
def sign_in() -> AnyResponse:
    form = SignInForm()
    form.validate()
    try:
        user = passwords.check(form.email.data or "", form.password.data or "")
    except Refused:
        return _render(form, WRONG, 422)
    except TooMany as error:
        return _render_limited(error, form)
    if not second_step.has_any(user):
        _enter(user, sessions.begin, user.id, _device(), Proof.PASSWORD)
    elif not _come_back(user):
        shared_screen.await_second_step(sessions.begin(user.id, _device(), None))
        return redirect(url_for(".ask_code", next=local_path(form.next.data)), 303)
    return redirect(local_path(form.next.data), 303)


@blueprint.post("/sign-in/passkey")
def use_passkey() -> AnyResponse:
    form = SignInForm()
    form.validate()
    try:
        user, challenge = passkeys.check(request.form.get("credential", ""))
        _enter(user, sessions.begin, user.id, _device(), Proof.PASSKEY, challenge)
    except (Refused, AnsweredBefore):
        return _render(form, WRONG_PASSKEY, 422)
    return redirect(local_path(form.next.data), 303)


@blueprint.get("/second-factor/code")
def ask_code() -> AnyResponse:
    return _render_second_step("security/code.html", CodeForm(formdata=None))


@blueprint.post("/second-factor/code")
def check_code() -> AnyResponse:
    wrong = "That code is not right, or has been used. Wait for the next one and type it."
    return _pass_second_step("security/code.html", CodeForm(), second_step.check_code, Proof.CODE, wrong)


@blueprint.get("/recover")
def ask_recovery_code() -> AnyResponse:
    return _render_second_step("security/recovery_code.html", RecoveryForm(formdata=None))


@blueprint.post("/recover")
def use_recovery_code() -> AnyResponse:
    wrong = "That is none of your recovery codes, or it has been used."
    form, check = RecoveryForm(), second_step.use_recovery_code
    return _pass_second_step("security/recovery_code.html", form, check, Proof.RECOVERY_CODE, wrong)


@blueprint.post("/sign-out")
def sign_out() -> AnyResponse:
    shared_screen.leave("signed-out")
    return redirect(url_for(".show"), 303)


def _pass_second_step(
    template: str, form: CodeForm | RecoveryForm, check: Callable[[User, str], None], proof: Proof, wrong: str
) -> AnyResponse:
    awaiting = shared_screen.find_awaiting()
    if awaiting is None or not form.validate():
        return _render_second_step(template, form, 422)
    user = awaiting.user
    try:
        check(user, form.code.data or "")
    except Refused:
        form.code.errors = [wrong]
        return _render_second_step(template, form, 422)
    except TooMany as error:
        form.code.errors = [str(error)]
        return _say_when(_render_second_step(template, form, 429), error)
    _enter(user, sessions.pass_second_step, awaiting.id, user.id, _device(), proof)
    return redirect(local_path(request.args.get("next")), 303)


def _come_back(user: User) -> bool:
    """Whether the password is enough, as the second step was shown at this screen before it was locked."""
    _make_way(user)
    token = shared_screen.come_back(user, _device())
    if token:
        shared_screen.enter(user, token)
    return token is not None


def _enter(user: User, begin: Callable[..., str], *arguments: object) -> None:
    _make_way(user)
    shared_screen.enter(user, begin(*arguments))


def _make_way(user: User) -> None:
    """Whoever is still signed in here is not any more; what follows is done by that person."""
    if current_user.is_authenticated:
        shared_screen.leave("signed-out")
    g.acting_staff = user.id


def _render_second_step(template: str, form: CodeForm | RecoveryForm, status: int = 200) -> AnyResponse:
    awaiting = shared_screen.find_awaiting()
    next_ = local_path(request.args.get("next"))
    if awaiting is None:
        return redirect(url_for(".show", next=next_), 303)
    user = awaiting.user
    if not user.tf_totp_secret and template == "security/code.html":
        template = "security/passkey.html"
    outcome = {422: "invalid", 429: "limited"}.get(status)
    has_passkey = second_step.has_passkey(user)
    return render(template, status=status, form=form, next=next_, user=user, has_passkey=has_passkey, outcome=outcome)


def _render(form: SignInForm, wrong: str | None = None, status: int = 200, outcome: str = "invalid") -> AnyResponse:
    people = shared_screen.list_people()
    who = request.args.get("who", "")
    last = people[0] if people and shared_screen.is_locked() else None
    known = next((person for person in people if str(person.id) == who), last)
    return render(
        "security/sign_in.html",
        status=status,
        form=form,
        people=people,
        known=known,
        wrong=wrong,
        outcome=outcome if wrong else None,
    )


def _render_limited(error: TooMany, form: SignInForm) -> AnyResponse:
    return _say_when(_render(form, str(error), 429, "limited"), error)


def _say_when(response: AnyResponse, error: TooMany) -> AnyResponse:
    if response.status_code == 429:
        response.headers["Retry-After"] = str(error.seconds)
    return response


def _device() -> str:
    return devices.describe(request.user_agent.string)
