"""Fifty addresses that hold whatever they can for half an hour leave most times to those who want to come."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.core.db import db
from portal.scheduling.free_times import SlotFilter, find_free_slots
from portal.scheduling.models import Provider
from tests.servers import PROOF
from tests.visitor import Visitor

# In full with `make proof`; else with as few as the control needs to fail.
ADDRESSES, JOURNEYS, ROUNDS = (50, 6, 10) if PROOF else (20, 1, 2)  # journeys of each address
HALF_AN_HOUR = timedelta(minutes=30)
DETAILS = {**Visitor.DETAILS, "keep": "yes"}


class Hoarder:
    """A program that holds a time as long as it can, and takes another one when it cannot."""

    def __init__(self, app, address):
        self.client = app.test_client()
        self.client.environ_base["REMOTE_ADDR"] = address
        page = self.client.get("/book/safety").text
        self.token = page.partition('name="csrf_token" type="hidden" value="')[2].partition('"')[0]
        self.post("/book/safety", red_flags_now="none")

    def post(self, path, **fields):
        return self.client.post(path, data={"csrf_token": self.token, **fields})

    def hold(self, slot_id):
        self.post("/book/", slot=slot_id)
        self.post("/book/details", **DETAILS)  # whoever has typed who comes is trusted more

    def renew(self):
        self.post("/book/renew")


def free(app):
    with app.app_context():
        return [slot.id for slot in find_free_slots(SlotFilter(), "consult")]


def hoard(app, clock):
    """Let fifty addresses hold for half an hour; the least share of the free times that was left to others."""
    at_first = len(free(app))
    hoarders = [Hoarder(app, f"198.51.100.{n}") for n in range(ADDRESSES) for _ in range(JOURNEYS)]
    least = 1.0
    for turn in range(ROUNDS):
        for hoarder in hoarders:
            if turn:
                hoarder.renew()
            elif left := free(app):
                hoarder.hold(left[0])
        least = min(least, len(free(app)) / at_first)
        clock.shift(min(HALF_AN_HOUR / ROUNDS, timedelta(minutes=9)))
    return least


@pytest.mark.both_engines
def test_at_least_seventy_percent_stay_free_and_somebody_who_comes_meanwhile_books(app, clock):
    assert hoard(app, clock) >= 0.7
    person = Visitor(app)
    person.pass_safety()
    page = person.hold()
    assert (page.path, page.outcome) == ("/book/details", None)
    assert "yours as soon as you book it" in page.text
    assert person.fill_in().path == "/book/check"
    assert person.send().outcome == "booked"


def test_the_control_without_the_shares_leaves_less(app, clock, town):
    assert hoard(app, clock) < 0.7


@pytest.mark.both_engines
def test_a_day_with_few_places_is_not_closed_by_holding_those(app, clock):
    with app.app_context():
        db.session.execute(update(Provider).values(daily_cap=1))
        db.session.commit()
    assert hoard(app, clock) >= 0.7


def test_one_address_holds_twenty_times_in_ten_minutes_and_another_still_does(app, clock):
    restless, other = Visitor(app), Visitor(app)
    other.client.environ_base["REMOTE_ADDR"] = "198.51.100.7"
    for person in (restless, other):
        person.pass_safety()
    slots = [str(slot) for slot in free(app)[:2]]
    assert [restless.hold(slots[turn % 2]).outcome for turn in range(21)] == ["held"] * 20 + [None]
    assert other.hold(slots[0]).outcome == "held"
    clock.shift(timedelta(minutes=10))
    assert restless.hold(slots[1]).outcome == "held"


@pytest.mark.both_engines
def test_a_time_of_a_full_day_is_refused_at_once_also_where_it_would_not_be_held(app, clock, book):
    person = Visitor(app)
    person.pass_safety()
    book("2026-12-04 12:00")
    page = person.open("/book/?day=2026-12-04")
    form = next(form for form in page.forms if "slot" in form.choices)
    hoard(app, clock)
    wanted = form.choices["slot"][-1]
    assert int(wanted) in free(app)
    with app.app_context():
        db.session.execute(update(Provider).values(daily_cap=1))
        db.session.commit()
    assert person.send(form, slot=wanted).outcome == "taken"


@pytest.mark.both_engines
def test_a_time_that_is_not_held_goes_to_whoever_books_first(app, clock):
    hoard(app, clock)
    slower, faster = Visitor(app), Visitor(app)
    for person in (slower, faster):
        person.pass_safety()
    slot = str(free(app)[3])
    slower.hold(slot)
    slower.fill_in(email="slower@example.com")
    assert faster.book(slot).outcome == "booked"
    page = slower.send()
    assert (page.status, page.outcome) == (409, "taken")
    assert slower.send(slot=slower.free_slots()[0]).form.values["email"] == ["slower@example.com"]
