"""A portal that several processes serve."""

import pytest

from tests.conftest import portal_by_the_real_clock
from tests.races.crowd import lingering_after_each_look


@pytest.fixture
def settings(settings):
    """Whole crowds come from one address here; tests/booking/test_abuse.py shows where they would be stopped."""
    return settings.model_copy(update={"limits_times": 1000})


@pytest.fixture
def portal(settings, monkeypatch):
    monkeypatch.setattr("portal.core.db.PATIENCE", 30)  # of the test itself among its crowds; the portal's own stays
    with portal_by_the_real_clock(settings) as app:
        yield app


@pytest.fixture
def lingering(portal):
    """Whoever looks takes a moment to do something about it."""
    with lingering_after_each_look():
        yield
