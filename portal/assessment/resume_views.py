"""`/assessment/pause` and `/assessment/resume`: stop now, go on later, here or on another device."""

from __future__ import annotations

from flask import Blueprint, Response, abort, redirect, url_for
from werkzeug import Response as AnyResponse

from portal.assessment import services
from portal.assessment.forms import CodeForm, PauseForm
from portal.assessment.models import ResumeLink
from portal.core.forms import BaseForm
from portal.core.htmx import render
from portal.referrals import journeys

blueprint = Blueprint("resume", __name__, url_prefix="/assessment")


@blueprint.get("/pause")
def show_pause() -> Response:
    return _render_pause(PauseForm())


@blueprint.post("/pause")
def send_link() -> AnyResponse:
    form = PauseForm()
    if not form.validate():
        return _render_pause(form, status=422)
    services.send_resume_link(journeys.ensure(), form.email.data, form.key.data)
    return redirect(url_for(".show_sent"), 303)


@blueprint.get("/pause/sent")
def show_sent() -> AnyResponse:
    link = services.find_resume_link_of(journeys.current())
    if link is None:
        return redirect(url_for(".show_pause"), 303)
    return render("assessment/pause_sent.html", email=link.secrets["email"])


@blueprint.get("/resume")
def enter_code() -> Response:
    return _render_code(CodeForm())


@blueprint.post("/resume")
def use_code() -> AnyResponse:
    form = CodeForm()
    link = services.find_resume_link_by_code(form.code.data or "") if form.validate() else None
    if link is None:
        form.code.errors = [*form.code.errors] or ["This code is not known, or its seven days are over."]
        return _render_code(form, status=422)
    return _go_on(link)


@blueprint.get("/resume/<token>")
def show_link(token: str) -> Response:
    services.find_resume_link(token) or abort(404)
    return render("assessment/resume.html", token=token, form=BaseForm(formdata=None))


@blueprint.post("/resume/<token>")
def use_link(token: str) -> AnyResponse:
    link = services.find_resume_link(token) or abort(404)
    return _go_on(link)


def _go_on(link: ResumeLink) -> AnyResponse:
    if journeys.current() != link.journey_id:
        journeys.remember(services.go_on_apart(link.journey_id))
    return redirect(url_for("assessment.continue_"), 303)


def _render_pause(form: PauseForm, status: int = 200) -> Response:
    begun = bool(services.answers_of(services.get_current(journeys.current())))
    outcome = "invalid" if status == 422 else None
    return render("assessment/pause.html", status=status, form=form, begun=begun, outcome=outcome)


def _render_code(form: CodeForm, status: int = 200) -> Response:
    return render("assessment/code.html", status=status, form=form, outcome="invalid" if status == 422 else None)
