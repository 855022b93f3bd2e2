"""What commands say is said as a person would."""

from datetime import timedelta

import pytest

from portal.operations.cli import in_words


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 minutes are"),
        (1, "1 minute is"),
        (59, "59 minutes are"),
        (61, "1 hour 1 minute are"),
        (480, "8 hours 0 minutes are"),
    ],
)
def test_the_time_that_a_restore_lost_is_said_in_words(minutes, said):
    assert in_words(timedelta(minutes=minutes, seconds=40)) == said
