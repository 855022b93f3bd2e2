"""Who is counted as a person, what is kept of where somebody came from, and what readers and caches notice of it."""

import pytest
from sqlalchemy import select

from portal.core.db import db
from portal.referrals.models import DailyCount, Journey

pytestmark = pytest.mark.both_engines

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
PROGRAMS = [
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (compatible; bingbot/2.0)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/130.0 Safari/537.36",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "facebookexternalhit/1.1",
    "WhatsApp/2.23.20.0",
    "curl/8.5.0",
    "python-requests/2.32",
    "Go-http-client/2.0",
    "Mozilla/5.0 (Windows NT 10.0) BarracudaCentral/1.0",
    "Mozilla/4.0 (compatible; ms-office; MSOffice 16)",
    "",
]


def journeys(app):
    with app.app_context():
        return list(db.session.scalars(select(Journey)))


def counts(app):
    with app.app_context():
        return {(row.what, row.link_code, row.source): row.count for row in db.session.scalars(select(DailyCount))}


@pytest.mark.parametrize("agent", [FIREFOX, SAFARI])
def test_a_browser_is_a_person(visitor, app, agent):
    visitor.client.get("/r/leaflet", headers={"User-Agent": agent})
    assert len(journeys(app)) == 1


@pytest.mark.parametrize("agent", PROGRAMS)
def test_a_program_that_says_what_it_is_gets_there_and_is_not_counted(visitor, app, agent):
    response = visitor.client.get("/r/partner", headers={"User-Agent": agent})
    assert response.location == "/assessment/"
    assert "Set-Cookie" not in response.headers
    assert (journeys(app), counts(app)) == ([], {})


@pytest.mark.parametrize(
    "ahead", [{"Sec-Purpose": "prefetch"}, {"Purpose": "prefetch"}, {"X-Moz": "prefetch"}, {"X-Purpose": "preview"}]
)
def test_a_page_that_is_fetched_ahead_of_time_is_not_counted(visitor, app, ahead):
    visitor.client.get("/r/leaflet", headers={"User-Agent": FIREFOX, **ahead})
    visitor.client.get("/?source=site", headers={"User-Agent": FIREFOX, **ahead})
    assert (journeys(app), counts(app)) == ([], {})


@pytest.mark.parametrize("wish", [{"DNT": "1"}, {"Sec-GPC": "1"}])
def test_who_asks_not_to_be_followed_is_counted_for_the_day_and_gets_no_cookie(visitor, app, wish):
    for address, page in (("/r/leaflet", "/"), ("/r/leaflet", "/"), ("/book/?source=site", "/book/")):
        response = visitor.client.get(address, headers={"User-Agent": FIREFOX, **wish})
        assert response.location == page
        assert "Set-Cookie" not in response.headers
    assert journeys(app) == []
    assert counts(app) == {("unfollowed", "leaflet", ""): 2, ("unfollowed", "", "site"): 1}


@pytest.mark.parametrize(
    "page", ["/", "/articles/migraine", "/treatments/", "/specialists/", "/assessment/", "/book/", "/refer/"]
)
def test_every_entry_page_keeps_who_sent_somebody_and_leads_to_its_clean_address(visitor, app, page):
    response = visitor.client.get(f"{page}?slot=7&source=finder.example&booking-referral=34d1a803-cd6c-4420")
    assert (response.status_code, response.location) == (303, f"{page}?slot=7")
    assert response.headers["Cache-Control"] == "no-store"
    (journey,) = journeys(app)
    assert (journey.source, journey.booking_referral) == ("finder.example", "34d1a803-cd6c-4420")


@pytest.mark.parametrize(
    "strange", ["jane@example.com", "203.0.113.7", "2001:db8::1", "a b", "<b>", "x" * 41, "%00", ""]
)
def test_a_name_that_could_be_somebodys_own_is_not_kept(visitor, app, strange):
    assert visitor.client.get("/", query_string={"source": strange}).location == "/"
    assert all(journey.source is None for journey in journeys(app))


@pytest.mark.parametrize("path", ["/articles/migraine", "/treatments/", "/specialists/"])
def test_plain_readers_get_no_cookie_and_the_page_is_the_same_for_all(visitor, path):
    alone = visitor.open(path)
    assert "Set-Cookie" not in alone.response.headers
    visitor.open("/r/leaflet")
    again = visitor.open(path)
    assert again.text == alone.text
    assert "Set-Cookie" not in again.response.headers
    assert "Cookie" not in again.response.vary


def test_the_article_is_one_of_ours_whatever_the_form_says(visitor, app):
    visitor.open("/assessment/")
    visitor.send(article="jane-doe-of-main-street")
    assert [journey.article for journey in journeys(app)] == [None]


def test_a_forged_cookie_is_no_journey(visitor, app):
    visitor.client.set_cookie("portal", "eyJqb3VybmV5IjoieCJ9.x.x", domain="127.0.0.1")
    assert visitor.open("/articles/migraine").status == 200
    assert journeys(app) == []
