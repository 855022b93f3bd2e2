"""Work that comes back: features register it, the worker does it.

A chore may run in several workers at once and must then still do its work only once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from portal.core import clock


@dataclass(frozen=True)
class Chore:
    """Something to do, and how often."""

    do: Callable[[], object]
    every: timedelta


HOUR = timedelta(hours=1)
chores: dict[str, Chore] = {}
log = logging.getLogger(__name__)


def register(name: str, do: Callable[[], object], every: timedelta = HOUR) -> None:
    """Let the worker do this so often."""
    chores[name] = Chore(do, every)


class Rota:
    """When which chore is due next, for one worker; all are due when it begins."""

    def __init__(self) -> None:
        self._due = dict.fromkeys(chores, clock.now())

    def do_what_is_due(self) -> None:
        """Do it; a chore that fails does not hold up the others and is tried again in its turn."""
        for name, due in self._due.items():
            if due <= clock.now():
                self._due[name] = clock.now() + chores[name].every
                try:
                    log.info("%s: %s", name, chores[name].do())
                except Exception:
                    log.exception("%s failed; it is tried again in its turn", name)
