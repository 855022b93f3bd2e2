"""`/assessment/result/brief`: one page to keep, to print, and to show to a doctor. Only for the person herself."""

from __future__ import annotations

from flask import Blueprint, Response, abort, make_response, redirect, render_template, url_for
from werkzeug import Response as AnyResponse

from portal.assessment import services
from portal.assessment.brief import Brief, write_brief
from portal.core import pdf
from portal.referrals import journeys

blueprint = Blueprint("brief", __name__, url_prefix="/assessment/result")


@blueprint.get("/brief")
def show_brief() -> Response:
    return make_response(render_brief(_own_brief(), url_for(".download_brief"), back=url_for("assessment.show_result")))


@blueprint.get("/brief.pdf")
def download_brief() -> AnyResponse:
    return send_brief(_own_brief(), otherwise=url_for(".show_brief"))


def render_brief(brief: Brief, pdf_url: str, who: object = None, back: str | None = None) -> str:
    """The brief as a page of its own; `who` is the appointment it belongs to, and `back` the page that led here."""
    offered = pdf_url if pdf.pdf_available() else None
    return render_template("assessment/brief.html", brief=brief, pdf_url=offered, who=who, back=back)


def send_brief(brief: Brief, otherwise: str, who: object = None) -> AnyResponse:
    """The brief as PDF; on a machine that makes none, the page to print instead."""
    try:
        page = render_template("assessment/brief.html", brief=brief, who=who, for_pdf=True)
        document = pdf.render_pdf(page, style="brief.css")
    except pdf.PdfUnavailable:
        return redirect(otherwise, 303)
    response = make_response(document)
    response.headers["Content-Type"] = "application/pdf"
    response.headers["Content-Disposition"] = 'inline; filename="brief.pdf"'
    return response


def _own_brief() -> Brief:
    assessment = services.get_current(journeys.current())
    if assessment is None or assessment.finished_at is None:
        abort(404)
    return write_brief(assessment, own=True)
