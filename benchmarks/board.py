"""What the desk's pages cost with twelve clinicians and three hundred visits, and with nobody: `make bench`.

Prints medians. Exit status 1 when the full day takes longer than 75 ms, more than 25 KB compressed, or another number
of queries than the empty one.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient
from flask_migrate import upgrade

from benchmarks.busy_day import store_busy_day
from benchmarks.diary import NewDatabase, gather_statistics, hidden, postgresql, sqlite
from benchmarks.stored import note_queries
from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.config import Settings
from portal.core.db import db
from portal.frontdesk.queries import get_today
from portal.run import SAMPLE_CLINIC
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.setup import load_clinic
from tests.servers import find_postgresql

ROUNDS, TO_WARM_UP = 40, 5
MOST_SECONDS, MOST_BYTES = 0.075, 25_000
SECRET = "for-measuring-only-" * 2
AS_BROWSERS_ASK = {"Accept-Encoding": "gzip, br"}


@dataclass
class Cost:
    """What one page costs."""

    seconds: float
    size: int
    compressed: int
    queries: int


def main() -> int:
    logging.disable(logging.INFO)  # what the migrations say
    within = measure_all("SQLite", sqlite)
    if find_postgresql() is None:
        print("PostgreSQL is not installed and was left out.")
        return not within
    return not (measure_all("PostgreSQL", postgresql) and within)


def measure_all(name: str, engine: Callable[[Path], Iterator[NewDatabase]]) -> bool:
    """Measure on one engine and print it; whether all of it is within what is promised."""
    with tempfile.TemporaryDirectory() as folder, contextmanager(engine)(Path(folder)) as new_database:
        settings = Settings(
            data_dir=Path(folder), database_url=new_database(), secret_key=SECRET, encryption_keys=(SECRET,)
        )
        app = create_app(settings)
        with app.app_context():
            upgrade()
            load_clinic(read_clinic_file(SAMPLE_CLINIC))
            full = get_today() + timedelta(days=28)
            store_busy_day(full)
            gather_statistics()
            password = add_staff("desk@clinic.example", "Dee Desk", StaffRole.FRONT_DESK)
        client = sign_in(app.test_client(), password)
        print(f"\n{name:20}{'median':>10}{'bytes':>10}{'compressed':>12}{'queries':>9}")
        within = [print_page(client, kind, full) for kind in ("day", "refresh", "week", "month", "sheet")]
        with app.app_context():
            db.engine.dispose()
    return all(within)


def sign_in(client: FlaskClient, password: str) -> FlaskClient:
    token = hidden("csrf_token", client.get("/desk/sign-in").text)
    who = {"email": "desk@clinic.example", "password": password, "csrf_token": token}
    assert client.post("/desk/sign-in", data=who).status_code == 302
    return client


def print_page(client: FlaskClient, kind: str, full: date) -> bool:
    """Print what the page costs full and empty; whether that is within what is promised."""
    busy, empty = measure(client, kind, full), measure(client, kind, full + timedelta(days=63))
    for name, cost in ((kind, busy), ("  with nobody", empty)):
        print(f"{name:20}{cost.seconds * 1000:7.1f} ms{cost.size:10,}{cost.compressed:12,}{cost.queries:9}")
    return busy.seconds <= MOST_SECONDS and busy.compressed <= MOST_BYTES and busy.queries == empty.queries


def measure(client: FlaskClient, kind: str, day: date) -> Cost:
    path, headers = address(kind, day)
    seconds = []
    for _ in range(TO_WARM_UP + ROUNDS):
        begin = time.perf_counter()
        client.get(path, headers=headers)
        seconds.append(time.perf_counter() - begin)
    with note_queries() as sent:
        whole = client.get(path, headers=headers)
    small = client.get(path, headers={**headers, **AS_BROWSERS_ASK})
    assert whole.status_code == 200
    return Cost(median(seconds[TO_WARM_UP:]), len(whole.data), len(small.data), len(sent))


def address(kind: str, day: date) -> tuple[str, dict[str, str]]:
    if kind == "refresh":
        return f"/desk/day/{day}?poll=1", {"HX-Request": "true", "HX-Request-Type": "partial"}
    paths = {
        "day": f"/desk/day/{day}",
        "week": f"/desk/week/{day}",
        "month": f"/desk/month/{day:%Y-%m}",
        "sheet": f"/desk/day/{day}/sheet",
    }
    return paths[kind], {}


if __name__ == "__main__":
    sys.exit(main())
