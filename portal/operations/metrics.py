"""Figures for Prometheus, on a port of their own: what was asked and answered, what was done, what waits.

Each web process counts into files of its own; `flask metrics` adds them up and asks the database for the rest. There
is no personal value in any figure: pages are named by their route, never by their address.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import click
from flask import Flask, Response, current_app, request, request_finished, template_rendered
from jinja2_fragments.flask import template_block_rendered
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from portal.audit.services import entries_written
from portal.config import Settings, current_settings
from portal.core.db import db
from portal.core.front import given_at_once
from portal.core.turns import seconds_since_it_came
from portal.operations.gauges import Reading, read_gauges
from portal.operations.reserved_file import ReservedFile

OUTCOMES = frozenset(
    ("booked", "held", "taken", "moved", "cancelled", "kept", "invalid", "limited", "expired", "unavailable")
)
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
FRESH = 15.0  # seconds for which what the database said is said again

requests_total = Counter("portal_requests", "Requests answered.", ("endpoint", "method", "status"))
request_seconds = Histogram("portal_request_seconds", "Time to answer a request.", ("endpoint",), buckets=BUCKETS)
outcomes_total = Counter("portal_outcomes", "Pages that reported this outcome, such as `taken`.", ("outcome",))
actions_total = Counter("portal_actions", "What was done, by its name in the audit trail.", ("action",))


def init_app(app: Flask) -> None:
    values.MmapedDict = ReservedFile  # type: ignore[attr-defined]  # what the library makes files with
    request_finished.connect(_count_answer, app)
    given_at_once.connect(_count_given, app)
    template_rendered.connect(_count_outcome, app)
    template_block_rendered.connect(_count_outcome, app)


def forget_the_dead(folder: Path) -> None:
    """Remove the files of processes that ended before this start; figures that only rise may begin again."""
    with suppress(OSError):  # what cannot be counted for want of a folder is said by who counts
        folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        if not Path(f"/proc/{file.stem.rpartition('_')[2]}").exists():
            file.unlink(missing_ok=True)


def serve() -> None:
    """Answer Prometheus until told to stop."""
    settings, stop = current_settings(), threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(metrics_folder(settings)))  # type: ignore[no-untyped-call]
    registry.register(DatabaseCollector(current_app._get_current_object()))  # type: ignore[attr-defined]
    server, thread = start_http_server(settings.metrics_port, settings.metrics_host, registry)
    click.echo(f"Figures at http://{settings.metrics_host}:{settings.metrics_port}/metrics")
    stop.wait()
    server.shutdown()
    thread.join()


def metrics_folder(settings: Settings) -> Path:
    """Where the processes of this machine count."""
    return settings.data_dir / "metrics"


class DatabaseCollector(Collector):
    """What the database knows, asked at most every few seconds however often somebody reads."""

    def __init__(self, app: Flask) -> None:
        self._app, self._lock = app, threading.Lock()
        self._said: list[Reading] = []
        self._said_at = float("-inf")

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            if time.monotonic() - self._said_at > FRESH:
                self._said, self._said_at = self._ask(), time.monotonic()
            said = self._said
        for reading in said:
            family = GaugeMetricFamily(f"portal_{reading.name}", reading.about, labels=reading.labels)
            for labels, value in reading.values.items():
                family.add_metric(labels, value)
            yield family

    def _ask(self) -> list[Reading]:
        with self._app.app_context():
            try:
                return [*read_gauges(), Reading("up", "Whether the database answers.", {(): 1})]
            except SQLAlchemyError:
                self._app.logger.exception("the database does not answer")
                return [Reading("up", "Whether the database answers.", {(): 0})]
            finally:
                db.session.remove()


def _count_answer(_app: Flask, response: Response, **_: Any) -> None:
    endpoint = request.endpoint or "none"
    method = request.method if request.method in {"GET", "HEAD", "POST"} else "other"
    requests_total.labels(endpoint, method, response.status_code).inc()
    request_seconds.labels(endpoint).observe(seconds_since_it_came(request.environ))


def _count_given(_app: Flask, endpoint: str, status: int, seconds: float) -> None:
    requests_total.labels(endpoint, "GET", status).inc()
    request_seconds.labels(endpoint).observe(seconds)


def _count_outcome(_app: Flask, context: dict[str, Any], **_: Any) -> None:
    if (outcome := context.get("outcome")) in OUTCOMES:
        outcomes_total.labels(outcome).inc()


@entries_written.connect
def _note_actions(session: Session, actions: list[str]) -> None:
    session.info.setdefault("actions", []).extend(actions)


def _count_actions(session: Session) -> None:
    for action in session.info.pop("actions", []):
        actions_total.labels(action).inc()


def _forget_actions(session: Session) -> None:
    session.info.pop("actions", None)


event.listen(db.session, "after_commit", _count_actions)
event.listen(db.session, "after_rollback", _forget_actions)
