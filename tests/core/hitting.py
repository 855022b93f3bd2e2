"""One of several processes that count hits of the same key at once."""

from __future__ import annotations

from datetime import timedelta
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier

from flask import Flask

from portal import core
from portal.config import Settings
from portal.core.limits import Limit, count_hit

LIMIT = Limit("at once", 20, timedelta(hours=1))


def hit(settings: Settings, together: Barrier, results: SimpleQueue[int]) -> None:
    """Say how many of twenty hits were allowed, once all processes are there."""
    app = Flask("hitting")
    core.init_app(app, settings)
    with app.app_context():
        together.wait(60)
        results.put(sum(count_hit(LIMIT, "the same").allowed for _ in range(20)))
