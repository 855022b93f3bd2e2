"""The library is files and memory, the same whatever the database is: one engine is enough for its tests."""

import pytest


@pytest.fixture
def engine():
    return "sqlite"
