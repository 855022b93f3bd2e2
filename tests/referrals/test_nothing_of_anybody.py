"""After everything that a visitor can do, no table holds an address, a browser's name or a referrer."""

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.core import retention
from portal.core.db import Base, db
from portal.referrals.ledger import read_ledger
from portal.referrals.reduction import RULE
from tests.assessment.test_walk import NECK
from tests.visitor import Visitor

AGENT = "Mozilla/5.0 (CanaryAgent 7.7; Windows NT 10.0) Gecko/20100101 Canary/130.0"
CANARIES = ("203.0.113.77", "canaryagent", "canary/130", "canary-referrer", "2001:db8:77", "canary-language")
HEADERS = {
    "User-Agent": AGENT,
    "Referer": "https://canary-referrer.example/forum?user=jane",
    "X-Forwarded-For": "203.0.113.77, 2001:db8:77::1",
    "Forwarded": "for=203.0.113.77",
    "Accept-Language": "canary-language",
}


class Watched(Visitor):
    """A visitor whose every request carries what must not be kept."""

    def __init__(self, app):
        super().__init__(app)
        self.client.environ_base.update(
            {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in HEADERS.items()}
        )
        self.client.environ_base["REMOTE_ADDR"] = "203.0.113.77"


@pytest.fixture
def everything_done(app, clock, staff):
    """A whole visit, a caller's wish, a referral by a practice, links that lead nowhere, a manager who looks on."""
    person = Watched(app)
    for address in ("/r/leaflet", "/r/nothing", "/r/migraine", "/articles/migraine", "/?source=finder.example"):
        person.open(address)
    person.finish(**NECK)
    person.book()
    Watched(app).open("/r/leaflet", headers={"DNT": "1"})
    asks = Watched(app)
    asks.open("/request/call-back")
    asks.send(name="Ann Poe", phone="212 555 0188")
    practice = Watched(app)
    practice.open("/refer/")
    clock.shift(10)
    practice.send(practice="Dr. Lee")


def every_value():
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(select(table)):
            yield from ((f"{table.name}.{name}", value) for name, value in row._mapping.items())


def test_no_value_in_the_database_has_an_address_an_agent_or_a_referrer_in_it(app, everything_done, clock):
    with app.app_context():
        for _ in range(2):
            values = list(every_value())
            assert len(values) > 500
            for where, value in values:
                assert not any(canary in str(value).lower() for canary in CANARIES), where
            clock.shift(100 * 24 * 3600)
            retention.purge(RULE)


def test_nor_has_any_table_of_visitors_a_column_for_one(app):
    ours = [table for table in Base.metadata.sorted_tables if not table.name.startswith("staff_")]
    names = [column.name for table in ours for column in table.columns]
    words = ("ip", "address", "agent", "referrer", "referer", "fingerprint", "browser")
    found = {name for name in names if any(word in name.split("_") for word in words)}
    assert found == {"address"}  # of the clinic's own places
    assert "address" in Base.metadata.tables["location"].columns


def test_the_audit_trail_names_no_link_with_a_patient(app, everything_done):
    with app.app_context():
        trail = [(entry.action, entry.subject, str(entry.details)) for entry in db.session.scalars(select(AuditEntry))]
        assert any(action == "booked" for action, _, _ in trail)
        assert not any("leaflet" in " ".join(entry) for entry in trail)
        assert read_ledger(clock_day(), clock_day()).groups["leaflet"].people == 1


def clock_day():
    from portal.referrals.days import today

    return today()
