"""For machines: `/fhir/` (FHIR R4; the questionnaire is public, answers are for staff), calendars, sitemap, robots,
`/.well-known/`."""

from __future__ import annotations

import json
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, abort, make_response, redirect, render_template, url_for
from werkzeug import Response as AnyResponse

from portal.assessment.services import get_assessment
from portal.booking import feed
from portal.config import current_settings
from portal.core import clock
from portal.core.public import same_for_everybody
from portal.education.shelf import get_library
from portal.interop import services
from portal.interop.questionnaires import Resource, build_questionnaire, build_response
from portal.scheduling.contact import get_contact

blueprint = Blueprint("interop", __name__)
GOOD_FOR = timedelta(days=180)  # what the page about weaknesses says, which is made anew all the time


@blueprint.get("/fhir/Questionnaire/headache-assessment")
@same_for_everybody()
def show_questionnaire() -> Response:
    return _fhir(build_questionnaire(publisher=get_contact().name))


@blueprint.get("/fhir/QuestionnaireResponse/<uuid:assessment_id>")
def show_response(assessment_id: UUID) -> Response:
    assessment = get_assessment(assessment_id) or abort(404)
    services.record_response_read(assessment_id)
    return _fhir(build_response(assessment))


@blueprint.get("/calendars/<token>.ics")
def show_calendar(token: str) -> Response:
    """A clinician's visits, for a calendar program that subscribes to them."""
    response = make_response(feed.read(token) or abort(404))
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = 'attachment; filename="visits.ics"'  # without the secret
    return response


@blueprint.get("/sitemap.xml")
@same_for_everybody()
def show_sitemap() -> Response:
    """The pages that a search engine should know, with the day each was last changed."""
    pages = get_library().pages
    newest = max(page.about.reviewed or page.about.written for page in pages)
    response = make_response(render_template("interop/sitemap.xml", pages=pages, newest=newest))
    response.headers["Content-Type"] = "application/xml; charset=utf-8"
    return response


@blueprint.get("/robots.txt")
@same_for_everybody()
def show_robots() -> Response:
    """Pages with anything personal on them are nothing for search engines."""
    return _plain(render_template("interop/robots.txt"))


@blueprint.get("/.well-known/security.txt")
@same_for_everybody()
def show_security() -> Response:
    """Whom to tell of a weakness (RFC 9116): the mailbox that SECURITY.md names."""
    expires = f"{clock.now() + GOOD_FOR:%Y-%m-%dT00:00:00Z}"
    mailbox = quote(current_settings().sender, safe="@")
    return _plain(render_template("interop/security.txt", mailbox=mailbox, expires=expires))


@blueprint.get("/.well-known/change-password")
def find_password_page() -> AnyResponse:
    """Where password managers lead whoever has an account here: staff."""
    return redirect(url_for("account.ask_password"))


def _plain(text: str) -> Response:
    return Response(text, mimetype="text/plain")


def _fhir(resource: Resource) -> Response:
    return Response(json.dumps(resource, ensure_ascii=False), mimetype="application/fhir+json")
