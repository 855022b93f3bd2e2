"""A web process brings no library that it does not need to answer: each costs every start time, and memory for good."""

import subprocess
import sys
from pathlib import Path

import pytest

import portal
from tests.conftest import settings_environment

# What it is for, and what importing it takes.
BROUGHT_WHEN_NEEDED = {
    "alembic": "migrations: 75 ms, 11 MB",
    "webauthn": "passkeys: 60 ms, 8 MB",
    "psycopg": "PostgreSQL, where the database is SQLite: 50 ms, 9 MB",
    "icalendar": "calendar entries: 25 ms, 3 MB",
    "zxcvbn": "judging a new password: 20 ms, 12 MB",
}


@pytest.fixture
def engine():
    return "sqlite"


def test_a_web_process_starts_without_what_it_may_never_need(settings):
    ask = "import sys, portal; portal.create_app(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=Path(portal.__file__).parent.parent,
        env=settings_environment(settings),
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) & BROUGHT_WHEN_NEEDED.keys() == set()
