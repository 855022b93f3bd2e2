"""`/r/<code>`: from a printed or sent link to a clean address; `/r/`: for a link that leads nowhere any more."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug import Response as AnyResponse

from portal.core.forms import clean
from portal.core.htmx import render
from portal.referrals import entry, journeys, services
from portal.referrals.models import LinkState, ReferralLink
from portal.referrals.pages import find_page
from portal.referrals.queries import find_link
from portal.referrals.visitors import Visitor, tell_visitor

blueprint = Blueprint("referrals", __name__)


@blueprint.get("/r/<code>")
def follow_link(code: str) -> AnyResponse:
    """Start a journey and go where the link leads, or with `?to=` to another of our own pages.

    A program starts nothing and is not counted; somebody who asks not to be followed is counted for the day.
    """
    link, visitor = find_link(clean(code)), tell_visitor(request)
    state = link.state if link else LinkState.UNKNOWN
    if link is None or state != LinkState.LIVE:
        if visitor is not Visitor.PROGRAM:
            services.count_landing(state, link.code if link else "")
        return redirect(url_for(".show_ended"), 303)
    page = _destination(link)
    if visitor is Visitor.UNFOLLOWED:
        services.count_landing("unfollowed", link.code)
    elif visitor is Visitor.PERSON:
        journeys.remember(services.arrive(entry.brought_along(page, link), journeys.current()))
    return redirect(page, 303)


@blueprint.get("/r/")
def show_ended() -> Response:
    """A friendly page for whoever has come by a link that is not valid."""
    return render("referrals/ended.html", outcome="expired")


def _destination(link: ReferralLink) -> str:
    wished = find_page(request.args.get("to", ""))
    return wished.path if wished else link.destination
