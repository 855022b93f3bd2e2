"""The diary as the database has it, people with visits, and other times of day."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from tests.booking.conftest import book, diary  # noqa: F401 - fixtures
from tests.frontdesk.pressing import made, sent  # noqa: F401 - fixtures


@pytest.fixture
def at(clock, request):
    """Let it be that wall time in New York; who works at the desk then has signed in again."""

    def at(wall, *people):
        clock.move_to(datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo("America/New_York")))
        if "desk" in request.fixturenames:
            request.getfixturevalue("desk").sign_in()
        for person in people:
            person.sign_in()

    return at
