"""Which tests one process of pytest-xdist runs, one after the other."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# What takes longest, in the order in which it begins. The tests of a line share what takes long to make, such as a
# browser and its portal, or would be in each other's way, as crowds of processes are.
TOGETHER = (
    ("tests/browser/",),
    ("tests/races/", "tests/test_run.py", "tests/operations/test_failures.py", "tests/operations/test_metrics.py",
     "tests/operations/test_upgrade.py"),
    ("tests/data/",),
    ("tests/access/",),
)  # fmt: skip


def rank(nodeid: str) -> int:
    """Which line of `TOGETHER` a test stands in; beyond the last where in none."""
    return next((place for place, line in enumerate(TOGETHER) if nodeid.startswith(line)), len(TOGETHER))


class Sharing(LoadScopeScheduling):
    """Gives a process all tests of a line, then of one module after the other: what it has arranged serves them all."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # many tests are not what takes long

    def _split_scope(self, nodeid: str) -> str:
        place = rank(nodeid)
        return TOGETHER[place][0] if place < len(TOGETHER) else nodeid.partition("::")[0]
