"""`/r/<code>`: a short address starts a journey and leads to a clean one."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from portal.core.db import db
from portal.referrals.links import LinkFacts, change_link, read_facts
from portal.referrals.models import DailyCount, Journey, Milestone
from portal.referrals.queries import find_link


def counts(app):
    """What was counted for the day, without a journey."""
    with app.app_context():
        return {row.what: row.count for row in db.session.scalars(select(DailyCount))}


def journeys(app):
    """The first link of each journey, with each of its milestones."""
    with app.app_context():
        rows = select(Journey.link_code, Milestone.kind).outerjoin(Milestone)
        return [tuple(row) for row in db.session.execute(rows.order_by(Journey.started_at, Milestone.id))]


@pytest.mark.parametrize(
    ("code", "path"),
    [
        ("article", "/articles/cervicogenic-headache"),
        ("partner", "/assessment/"),
        ("leaflet", "/"),
        ("LEAFLET", "/"),
    ],
)
def test_a_link_starts_a_journey_and_leads_to_a_clean_address(visitor, app, code, path):
    page = visitor.open(f"/r/{code}")
    assert (page.status, page.path) == (200, path)
    assert page.response.request.query_string == b""
    assert journeys(app) == [(code.lower(), "landed"), (code.lower(), "read")]


@pytest.mark.parametrize("code", ["nothing", "x" * 300, "%00", "ümlaut", "..%5c"])
def test_an_unknown_code_lands_on_a_friendly_page(visitor, app, code):
    page = visitor.open(f"/r/{code}")
    assert (page.status, page.path, page.outcome) == (200, "/r/", "expired")
    assert {"/assessment/", "/book/", "tel:2125550100"} <= set(page.links)
    assert journeys(app) == []
    assert counts(app) == {"unknown": 1}


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"active": False}, "off"),
        ({"ends_at": datetime(2026, 11, 18, 15, tzinfo=UTC)}, "over"),
        ({"starts_at": datetime(2026, 11, 18, 15, 0, 1, tzinfo=UTC)}, "early"),
    ],
)
def test_a_link_that_is_off_over_or_early_lands_there_too_and_is_counted_as_such(visitor, app, change, state):
    with app.app_context():
        change_link("leaflet", LinkFacts("Leaflet", "print", "/", **change), read_facts(find_link("leaflet")))
    assert visitor.open("/r/leaflet").path == "/r/"
    assert journeys(app) == []
    assert counts(app) == {state: 1}


def test_a_link_opened_by_a_program_that_only_asks_for_headers_starts_nothing(visitor, app):
    assert visitor.client.head("/r/article").status_code == 303
    assert journeys(app) == []


def test_a_second_link_joins_the_journey_and_the_first_one_keeps_it(visitor, app):
    visitor.open("/r/article")
    visitor.open("/r/partner")
    assert journeys(app) == [("article", "landed"), ("article", "read")]
    with app.app_context():
        assert db.session.scalar(select(Journey.last_link_code)) == "partner"


def test_the_journey_notes_each_milestone_once_up_to_the_booking(visitor, app):
    visitor.open("/r/article")
    visitor.finish()
    visitor.book()
    visitor.open("/book/")
    assert [kind for _, kind in journeys(app)] == [
        "landed",
        "read",
        "assessment-started",
        "assessment-finished",
        "slots-seen",
        "slot-held",
        "booked",
    ]


def test_the_article_that_led_to_the_assessment_is_kept_with_the_journey(visitor, app):
    host = "http://127.0.0.1:8000"
    visitor.open("/assessment/", headers={"Referer": f"{host}/articles/cervicogenic-headache"})
    visitor.send()
    with app.app_context():
        assert db.session.scalar(select(Journey.article)) == "cervicogenic-headache"


@pytest.mark.parametrize("referrer", ["https://evil.example/articles/x", "http://127.0.0.1:8000/articles/../x", "\\"])
def test_a_referrer_from_elsewhere_is_not_kept(visitor, app, referrer):
    visitor.open("/assessment/", headers={"Referer": referrer})
    visitor.send()
    with app.app_context():
        assert db.session.scalar(select(Journey.article)) is None
