"""Each form that is open to anybody says how it is limited."""

import pytest

from portal.access import ANYONE, POLICIES
from portal.assessment.questionnaire import RED_FLAGS
from portal.limits import FREE, RULES, SAFE_METHODS
from tests.visitor import Visitor


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def test_each_post_that_is_open_to_anybody_is_limited_or_free_for_a_reason(app):
    posts = {rule.endpoint for rule in app.url_map.iter_rules() if rule.methods - SAFE_METHODS}
    open_posts = {endpoint for endpoint in posts if POLICIES[endpoint] == ANYONE}
    assert open_posts == RULES.keys() | FREE.keys()
    assert not RULES.keys() & FREE.keys()


def test_who_has_a_bleed_gets_the_answer_from_an_address_that_may_do_nothing_else(app, monkeypatch):
    monkeypatch.setattr("portal.core.limits.times", lambda _count: 0)
    person = Visitor(app)
    person.open("/assessment/")
    person.send()
    page = person.send(**{RED_FLAGS.id: "thunderclap"})
    assert (page.status, page.path, page.outcome) == (200, "/assessment/danger", "emergency")
    assert person.send().outcome == "emergency"
    person.open("/request/call-back")
    assert person.send(name="Jane", phone="212 555 0177").outcome == "limited"
