"""What happens before a page is shown: who sent the visitor is kept, and that a page was opened on a journey.

The pages themselves stay the same for everybody and can be kept by caches: where somebody brings something to be
noted, the answer is a redirect to the page's clean address; and a reader without a journey gets no cookie.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Flask, redirect, request, url_for
from werkzeug import Response

from portal.core.outage import or_without
from portal.referrals import journeys, services
from portal.referrals.models import ReferralLink
from portal.referrals.services import Touch
from portal.referrals.visitors import Visitor, tell_visitor

SOURCE, BOOKING_REFERRAL = "source", "booking-referral"  # by SMART Scheduling Links
TO_READ = {"", "articles", "treatments", "specialists", "search"}
ENTRIES = TO_READ | {"assessment", "book", "request", "refer", "privacy"}


def init_app(app: Flask) -> None:
    app.before_request(note_arrival)


def note_arrival() -> Response | None:
    """Keep who sent the visitor and lead on to the clean address; note a page opened on a journey."""
    if request.method != "GET" or request.endpoint is None:
        return None
    first, _, rest = request.path[1:].partition("/")
    if first not in ENTRIES or "." in rest:  # a file, such as a picture or a feed, is no page
        return None
    if SOURCE in request.args or BOOKING_REFERRAL in request.args:
        return _arrive(tell_visitor(request))
    if first in TO_READ or request.path == "/assessment/":
        _note_read()
    return None


def brought_along(page: str, link: ReferralLink | None = None) -> Touch:
    """The touch of this request, which leads to that page by that link or by none."""
    return Touch.by(link, page, request.args.get(SOURCE, ""), request.args.get(BOOKING_REFERRAL, ""))


def _arrive(visitor: Visitor) -> Response | None:
    if visitor is Visitor.PROGRAM:
        return None
    touch = brought_along(request.path)
    if visitor is Visitor.UNFOLLOWED:
        services.count_landing("unfollowed", source=touch.source)
    elif touch.leaves_a_trace:
        journeys.remember(services.arrive(touch, journeys.current()))
    kept = [pair for pair in request.args.items(multi=True) if pair[0] not in {SOURCE, BOOKING_REFERRAL}]
    # Written anew from the route: whatever the address looked like, this one is ours.
    page = url_for(str(request.endpoint), **(request.view_args or {}))
    return redirect(f"{page}?{urlencode(kept)}" if kept else page, 303)


def _note_read() -> None:
    journey_id = journeys.peek()
    if journey_id is not None and tell_visitor(request) is not Visitor.PROGRAM:
        or_without(lambda: services.note_read(journey_id), None)
