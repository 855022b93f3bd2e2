"""What the page of free times and a booking cost with few and with many visits stored: `make bench`.

Prints medians, and the ratio to the same with few visits, measured a moment before or after. Exit status 1 when
something costs more than 1.2 times as much, or takes another number of queries. (A booking takes some more with a
clinician whose days can be full; so two numbers are normal.)
"""

from __future__ import annotations

import logging
import random
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median

from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text

from benchmarks.stored import note_queries, store_coming_visits, store_past_visits
from portal import create_app
from portal.assessment.rules import Lane
from portal.config import Settings
from portal.core.db import db, transactional
from portal.run import SAMPLE_CLINIC
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.free_times import SlotFilter, find_free_slots
from portal.scheduling.queries import list_providers
from portal.scheduling.remake import open_slots
from portal.scheduling.setup import load_clinic
from tests.servers import PostgresServer, find_postgresql

FEW, *MANY = 100, 1_000, 10_000, 100_000
COMING, WEEKS = 20_000, 12
ROUNDS, TO_WARM_UP = 80, 3
SPARE = 20  # free times that may be too soon in a minute
MOST = 1.2  # times what it costs with few
SECRET = "for-measuring-only-" * 2
DETAILS = {"date_of_birth": "5/17/1980", "email": "jane@example.com", "phone": "212 555 0177", "reach_by": "call"}

NewDatabase = Callable[[], str]


@dataclass
class Portal:
    """A portal with so many visits, and what was measured of it."""

    visits: str
    app: Flask
    slots: list[int]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    queries: dict[str, set[int]] = field(default_factory=dict)

    def measure(self, number: int) -> None:
        """Somebody looks at the free times and books one."""
        person = Person(self.app.test_client(), f"Patient {number}", self.slots[number])
        person.pass_safety()
        for what, do in (("page", person.look), ("booking", person.book)):
            with note_queries() as sent:
                begin = time.perf_counter()
                do()
                took = time.perf_counter() - begin
            if number >= TO_WARM_UP:
                self.seconds.setdefault(what, []).append(took)
                self.queries.setdefault(what, set()).add(len(sent))


@dataclass
class Person:
    """Somebody who books one time; the pages are looked at no closer than it takes."""

    client: FlaskClient
    name: str
    slot_id: int
    csrf_token: str = ""

    def pass_safety(self) -> None:
        self.csrf_token = hidden("csrf_token", self.client.get("/book/safety").text)
        self.send("/book/safety", "/book/", red_flags_now="none")

    def look(self) -> None:
        assert f'value="{self.slot_id}"' in self.client.get("/book/").text

    def book(self) -> None:
        self.send("/book/", "/book/details", slot=self.slot_id)
        self.client.get("/book/details")
        self.send("/book/details", "/book/check", name=self.name, **DETAILS)
        key = hidden("key", self.client.get("/book/check").text)
        self.send("/book/check", "/book/confirmed", slot=self.slot_id, key=key)

    def send(self, path: str, leads_to: str, **fields: object) -> None:
        answer = self.client.post(path, data={"csrf_token": self.csrf_token, **fields})
        assert answer.location == leads_to, answer.text


def hidden(name: str, page: str) -> str:
    """The value of a page's hidden field."""
    found = re.search(rf'name="{name}"[^>]* value="([^"]+)"', page)
    assert found is not None
    return found[1]


def main() -> int:
    logging.disable(logging.INFO)  # what the migrations say
    flat = measure_all("SQLite", sqlite)
    if find_postgresql() is None:
        print("PostgreSQL is not installed and was left out.")
        return not flat
    return not (measure_all("PostgreSQL", postgresql) and flat)


def measure_all(name: str, engine: Callable[[Path], Iterator[NewDatabase]]) -> bool:
    """Measure on one engine and print it; whether all of it is flat."""
    with tempfile.TemporaryDirectory() as folder, contextmanager(engine)(Path(folder)) as new_database:
        build_here = partial(build, Path(folder), new_database)
        portals = [build_here(f"{visits:,}", store_past_visits, visits) for visits in (FEW, *MANY)]
        portals.append(build_here(f"{COMING:,} to come", store_coming_visits, COMING, WEEKS * 7))
        for number in range(TO_WARM_UP + ROUNDS):
            for portal in random.sample(portals, len(portals)):
                portal.measure(number)
        print(f"\n{name:20}{'page':>10}{'ratio':>7}{'queries':>13}{'booking':>12}{'ratio':>7}{'queries':>13}")
        flat = [print_row(portal, portals[0]) for portal in portals]
        for portal in portals:
            with portal.app.app_context():
                db.engine.dispose()
    return all(flat)


def print_row(portal: Portal, few: Portal) -> bool:
    line, flat = f"{portal.visits:20}", True
    for what, width in (("page", 7), ("booking", 9)):
        pairs = zip(portal.seconds[what], few.seconds[what], strict=True)
        ratio, queries = median(one / other for one, other in pairs), sorted(portal.queries[what])
        line += f"{median(portal.seconds[what]) * 1000:{width}.1f} ms{ratio:7.2f}{'/'.join(map(str, queries)):>13}"
        flat = flat and ratio <= MOST and portal.queries[what] == few.queries[what]
    print(line if flat else f"{line}  not flat")
    return flat


def build(folder: Path, new_database: NewDatabase, visits: str, store: Callable[..., None], *how_many: int) -> Portal:
    """The sample clinic with its free times, and with these visits."""
    secrets = {"secret_key": SECRET, "encryption_keys": (SECRET,)}
    settings = Settings(data_dir=folder, database_url=new_database(), limits_times=1000, **secrets)
    app = create_app(settings)
    with app.app_context():
        upgrade()
        load_clinic(read_clinic_file(SAMPLE_CLINIC))
        let_no_day_be_full()
        open_slots()
        store(*how_many)
        gather_statistics()
        soonest = find_free_slots(SlotFilter(), Lane.CONSULT, limit=SPARE + TO_WARM_UP + ROUNDS)
        return Portal(visits, app, [slot.id for slot in soonest[SPARE:]])


@transactional
def let_no_day_be_full() -> None:
    for provider in list_providers():
        provider.daily_cap = provider.daily_cap and 1000


def gather_statistics() -> None:
    """What PostgreSQL does by itself a minute later."""
    db.session.remove()
    if db.engine.dialect.name == "postgresql":
        with db.engine.connect().execution_options(alone=True) as connection:
            connection.execute(text("VACUUM ANALYZE"))


def sqlite(folder: Path) -> Iterator[NewDatabase]:
    numbers = count()
    yield lambda: f"sqlite:///{folder}/{next(numbers)}.db"


def postgresql(_folder: Path) -> Iterator[NewDatabase]:
    server = PostgresServer(find_postgresql() or Path())
    server.start()
    try:
        yield lambda: server.url(server.create_database())
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
