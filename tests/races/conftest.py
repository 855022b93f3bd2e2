"""A portal that several processes serve."""

import pytest

from portal import create_app
from portal.core.db import db
from portal.scheduling.remake import open_slots


@pytest.fixture
def settings(settings):
    """Whole crowds come from one address here; tests/booking/test_abuse.py shows where they would be stopped."""
    return settings.model_copy(update={"limits_times": 1000})


@pytest.fixture
def portal(settings, monkeypatch):
    """The tests' clinic by the real clock, for processes of their own cannot share a stopped one."""
    monkeypatch.setattr("portal.core.db.PATIENCE", 30)  # of the test itself among its crowds; the portal's own stays
    app = create_app(settings)
    with app.app_context():
        open_slots()
        yield app
        db.session.remove()
        db.engine.dispose()
