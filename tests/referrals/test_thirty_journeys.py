"""Whole journeys, each told in a line: where they came from, how far they came, and the one ledger they make."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from portal.core.db import db
from portal.referrals.ledger import read_ledger
from portal.referrals.links import LinkFacts, make_link
from portal.referrals.models import DailyCount, Journey
from portal.referrals.services import Reached, reach, start_journey_by_code
from tests.assessment.test_walk import NECK
from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
LETTERS = dict(zip("LRSFVHBA", Reached, strict=True))  # landed, read, started, finished, seen (viewed), held, ...

# What happens, then for each journey that it makes: first link, last link, the letters of what was reached, and where
# it matters the article, booking site or lane. "-" is none.
JOURNEYS = [
    ("open-only leaflet", "leaflet leaflet L"),
    ("follow leaflet", "leaflet leaflet LR"),
    ("follow leaflet, follow partner", "leaflet partner LR"),
    ("follow article, follow partner, follow leaflet", "article leaflet LR cervicogenic-headache"),
    ("follow leaflet, read migraine, follow leaflet", "leaflet leaflet LR"),  # the back button, twice on one link
    ("follow leaflet, other-tab partner, safety", "leaflet partner LRV"),
    ("follow migraine, begin", "migraine migraine LRS migraine"),
    ("follow leaflet?to=/articles/migraine, begin", "leaflet leaflet LRS migraine"),
    ("follow leaflet?to=https://evil.example/, begin", "leaflet leaflet LRS"),
    ("read migraine"),
    ("read migraine, begin-from migraine", "- - RS migraine"),
    ("begin", "- - S"),
    ("follow leaflet, finish, book, come", "leaflet leaflet LRSFVHBA consult"),
    ("follow partner, safety, book", "partner partner LRVHB"),
    ("follow leaflet, safety, hold, wait 11, book", "leaflet leaflet LRVHB"),  # the hold has lapsed
    ("follow leaflet, safety, hold, wait 11", "leaflet leaflet LRVH"),
    ("follow leaflet, safety, book, follow partner", "leaflet leaflet LRVHB"),  # too late to have led here
    ("safety, book, follow leaflet", "- - RVHB"),
    ("begin, follow leaflet", "leaflet leaflet LRS"),
    ("follow leaflet, danger", "leaflet leaflet LRSF emergency"),
    ("follow leaflet, dim, safety, book", "leaflet leaflet LRVHB"),
    ("unfollowed leaflet"),
    ("unfollowed leaflet, safety, book", "- - VHB"),
    ("head leaflet"),
    ("prefetch leaflet"),
    ("scanner leaflet"),
    (
        "open-only partner, forget, open-only partner",
        "partner partner L",
        "partner partner L",
    ),  # a scanner that hides its name
    ("call leaflet", "leaflet leaflet LB"),
    ("call partner, come", "partner partner LBA"),
    ("sent-by zocdoc.com, safety, book", "- - LVHB zocdoc.com"),
    ("follow leaflet, sent-by zocdoc.com", "leaflet leaflet LR"),
    ("follow ended, begin", "- - S"),
    ("follow nothing, safety", "- - V"),
    ("follow leaflet, wait 11520, begin", "leaflet leaflet LR", "- - S"),  # after eight days the cookie has ended
]


class Script(Visitor):
    """Somebody without JavaScript who does what the words say."""

    def __init__(self, app, clock):
        super().__init__(app)
        self.app, self.clock, self.person = app, clock, {}
        self.client.environ_base["HTTP_USER_AGENT"] = BROWSER

    def do(self, words, number):
        self.person = {"name": f"Person Number {number}", "email": f"person{number}@example.com"}
        for step in words.split(", "):
            verb, _, what = step.partition(" ")
            getattr(self, verb.replace("-", "_"))(*([what] if what else []))

    def follow(self, code):
        self.open(f"/r/{code}")

    other_tab = follow

    def open_only(self, code, **headers):
        return self.client.get(f"/r/{code}", headers=headers)

    def unfollowed(self, code):
        self.open(f"/r/{code}", headers={"Sec-GPC": "1"})

    def head(self, code):
        self.client.head(f"/r/{code}")

    def prefetch(self, code):
        self.open_only(code, Sec_Purpose="prefetch;prerender")

    def scanner(self, code):
        self.open_only(code, User_Agent="Mozilla/5.0 (compatible; SomeBot/1.0)")

    def forget(self):
        self.client = self.app.test_client()
        self.client.environ_base["HTTP_USER_AGENT"] = BROWSER

    def read(self, slug):
        self.open(f"/articles/{slug}")

    def begin(self):
        self.open("/assessment/")
        self.send()

    def begin_from(self, slug):
        self.open("/assessment/", headers={"Referer": f"http://127.0.0.1:8000/articles/{slug}"})
        self.send()

    def safety(self):
        self.pass_safety()

    def finish(self):
        super().finish(**NECK)

    def danger(self):
        self.answer(red_flags_now="neuro")

    def book(self):
        assert super().book(**self.person).outcome == "booked"

    def dim(self):
        self.open("/display")
        self.send(theme="dim")

    def wait(self, minutes):
        self.clock.shift(timedelta(minutes=int(minutes)))

    def sent_by(self, site):
        self.open(f"/book/?source={site}&booking-referral=34d1a803-cd6c")

    def call(self, code):
        with self.app.app_context():
            reach(start_journey_by_code(code), Reached.BOOKED)

    def come(self):
        with self.app.app_context():
            booked = select(Journey.id).where(Journey.reached.bitwise_and(Reached.BOOKED.bit) > 0)
            reach(db.session.scalars(booked.order_by(Journey.started_at.desc())).first(), Reached.ATTENDED)


def describe(journey):
    letters = "".join(letter for letter, point in LETTERS.items() if journey.reached & point.bit)
    return [journey.link_code or "-", journey.last_link_code or "-", letters]


def known(app):
    with app.app_context():
        return {journey.id: journey for journey in db.session.scalars(select(Journey).order_by(Journey.started_at))}


@pytest.fixture
def links(app, clock):
    with app.app_context():
        make_link(LinkFacts("An ended campaign", "campaign", "/", active=False), "ended")


def test_the_table_tells_at_least_thirty_journeys():
    assert len(JOURNEYS) >= 30


def test_each_journey_is_counted_as_told_and_all_of_them_make_the_ledger(app, clock, links, town):
    expected = Counter()
    for number, row in enumerate(JOURNEYS):
        words, journeys = (row, []) if isinstance(row, str) else (row[0], row[1:])
        clock.shift(1)
        before = known(app)
        Script(app, clock).do(words, number)
        made = [journey for id, journey in known(app).items() if id not in before]
        assert len(made) == len(journeys), words
        for journey, told in zip(made, journeys, strict=True):
            first, last, letters, *more = told.split()
            assert describe(journey) == [first, last, letters], words
            assert set(more) <= {journey.article, journey.source, journey.lane}, words
            if letters != "L":
                expected.update({("people", first): 1, **{(LETTERS[letter], first): 1 for letter in letters}})
    with app.app_context():
        ledger = read_ledger(date(2026, 11, 1), date(2026, 12, 31))
        counted = Counter({("people", link or "-"): tally.people for link, tally in ledger.groups.items()})
        for link, tally in ledger.groups.items():
            counted.update({(point, link or "-"): count for point, count in tally.steps.items()})
        assert +counted == expected
        assert ledger.total.unfollowed_up == 3
        assert ledger.total.lanes == {"consult": 1, "emergency": 1}
        assert ledger.aside == {"unfollowed": 2, "off": 1, "unknown": 1}
        assert [expected[what, "leaflet"] for what in ("people", "booked", "attended")] == [16, 5, 1]
        assert {row.link_code for row in db.session.scalars(select(DailyCount))} == {"leaflet", "ended", ""}
