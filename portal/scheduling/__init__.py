"""The clinic's set-up, and the slots of its diary."""

from flask import Flask

from portal.core import chores
from portal.core.outage import spared
from portal.referrals.days import count_days_in
from portal.referrals.pages import OwnPage, offer_pages
from portal.scheduling import cli, contact, free_times, queries, remake, views
from portal.scheduling.structured import describe_clinic


def init_app(app: Flask) -> None:
    app.register_blueprint(views.blueprint)
    app.cli.add_command(cli.clinic_group)
    app.cli.add_command(cli.slots_group)
    contact.init_app(app)
    count_days_in(queries.get_zone)
    offer_pages("scheduling", lambda: [OwnPage("/specialists/", "Specialists")])
    chores.register("open slots", remake.open_slots_if_any)
    app.jinja_env.globals.update(
        free_slots=spared(free_times.list_free_slots, []),
        specialists_for=spared(queries.list_specialists_for, []),
        describe_clinic=describe_clinic,
    )
