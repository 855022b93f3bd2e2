"""Hold a time, book it, manage the visit by its link."""

from datetime import timedelta

from flask import Flask

from portal import assessment, scheduling  # noqa: F401 - their tables stand before ours refer to them
from portal.accounts.services import do_after_leaving
from portal.booking import (
    digest,
    feed,
    mails,
    own_zone,
    person_cli,
    refer_views,
    rehashing,
    request_views,
    retention,
    samples,
    slot_list,
    views,
    visit_views,
    waitlist,
    waitlist_views,
)
from portal.booking.referring import OWN_CODE
from portal.core import chores
from portal.notifications.letters import sample_letters_with
from portal.referrals.pages import OwnPage, offer_pages
from portal.scheduling.changes import do_after_closing

MINUTE = timedelta(minutes=1)
PAGES = (
    OwnPage("/book/", "Free times"),
    OwnPage("/request/call-back", "Ask for a call"),
    OwnPage("/refer/", "For practices that refer patients", OWN_CODE),
)


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.register_blueprint(visit_views.blueprint)
    app.register_blueprint(request_views.blueprint)
    app.register_blueprint(refer_views.blueprint)
    app.register_blueprint(waitlist_views.blueprint)
    app.jinja_env.globals.update(moment_there=own_zone.moment_there, slots_of_day=slot_list.slots_of_day)
    chores.register("tend the earlier-slot list", waitlist.tend, every=MINUTE)
    chores.register("digests", digest.queue_digests, every=10 * MINUTE)
    do_after_leaving(feed.revoke)
    do_after_closing(waitlist.end_lost_offers)
    mails.init_app()
    app.cli.add_command(person_cli.group)
    rehashing.init_app()
    retention.init_app()
    offer_pages("booking", lambda: PAGES)
    sample_letters_with(samples.write_samples)
