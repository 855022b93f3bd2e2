"""Work that comes back every hour: features register it, the worker does it.

A chore may run in several workers at once and must then still do its work only once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

chores: dict[str, Callable[[], object]] = {}
log = logging.getLogger(__name__)


def register(name: str, chore: Callable[[], object]) -> None:
    """Let the worker do this every hour."""
    chores[name] = chore


def do_all() -> None:
    """Do every chore once; one that fails does not hold up the others."""
    for name, chore in chores.items():
        try:
            log.info("%s: %s", name, chore())
        except Exception:
            log.exception("%s failed; it is tried again in an hour", name)
