"""The diary as the database has it, and people with visits."""

from tests.booking.conftest import book, diary  # noqa: F401 - fixtures
