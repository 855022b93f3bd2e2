"""What the portal's pages take beside the least that Flask can do, in production, with a year's data: `make bench`.

Both are served in the same way and driven in turn. The ratio that counts is that of the processor time of the web
processes: unlike the clock it does not change with what else the machine does. Writes benchmarks/results/.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from flask_migrate import upgrade

from benchmarks.busy_day import store_busy_day
from benchmarks.diary import gather_statistics, let_no_day_be_full, postgresql, sqlite
from benchmarks.stored import store_free_times, store_past_visits
from benchmarks.web_bare import prepare
from benchmarks.web_driver import Browser, Client, Measured, ask, drive, family, megabytes
from benchmarks.web_people import ARTICLE, HTMX, Person, answer_page, post_once, read, sign_in, smallest_booking
from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.config import Settings
from portal.core.db import db
from portal.frontdesk.queries import get_today
from portal.run import SAMPLE_CLINIC
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.remake import open_slots
from portal.scheduling.setup import load_clinic
from tests.servers import find_postgresql, free_port

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
SECRET, EMAIL = "for-measuring-only-" * 2, "desk@clinic.example"
FEW, MANY, FREE, SLOTS = 100, 100_000, 30_000, 20_000
CLIENTS, TURNS = 8, 5
SERVER = ("gunicorn", "--config", "python:portal.serving", "--max-requests", "0")  # as it is run, and to the end
DAYS_AHEAD = 28  # of the full day


@dataclass
class Site:
    """A server that runs."""

    port: int
    process: int
    full_day: str = ""
    password: str = ""

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def drive(self, clients: list[Client], at_once: int = CLIENTS) -> Measured:
        return drive(self.port, clients, at_once, family(self.process))


@dataclass
class Row:
    """A work, what it is compared with, and what was measured of both in turn."""

    name: str
    target: str
    base: str
    measured: list[Measured] = field(default_factory=list)
    bases: list[Measured] = field(default_factory=list)

    def line(self) -> str:
        ratio = median(b.cpu_ms() / m.cpu_ms() for m, b in zip(self.measured, self.bases, strict=True))
        rates = median(m.per_second() / b.per_second() for m, b in zip(self.measured, self.bases, strict=True))
        best = sorted(self.measured, key=Measured.cpu_ms)[len(self.measured) // 2]
        percentiles = " / ".join(f"{best.percentile(share):.0f}" for share in (0.5, 0.95, 0.99))
        return (
            f"| {self.name} | {self.target} | {ratio:.2f} | {rates:.2f} | {best.cpu_ms():.2f} | {best.per_second():.0f}"
            f" | {percentiles} | {best.driver / best.rounds * 1000:.2f} |"
        )


HEAD = (
    "| Work | Target | Ratio by CPU | Ratio by rate | Server ms | Rounds/s | p50 / p95 / p99 ms | Driver ms |\n"
    "|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    arguments.add_argument("--visits", type=int, default=MANY)
    arguments.add_argument("--turns", type=int, default=TURNS)
    arguments.add_argument("--only", default="", help="works whose name begins so; nothing is written then")
    asked = arguments.parse_args()
    logging.disable(logging.INFO)
    for engine in asked.engine or ("sqlite", "postgresql"):
        if engine == "postgresql" and find_postgresql() is None:
            print("PostgreSQL is not installed and was left out.")
            continue
        report = measure_engine(engine, asked.visits, asked.turns, asked.only)
        if not asked.only:
            RESULTS.mkdir(exist_ok=True)
            (RESULTS / f"{engine}.md").write_text(report)
    return 0


def measure_engine(engine: str, visits: int, turns: int, only: str = "") -> str:
    """Measure all on one engine; returns what is written to its file."""
    make_databases = sqlite if engine == "sqlite" else postgresql
    with tempfile.TemporaryDirectory() as name, contextmanager(make_databases)(Path(name)) as new_database:
        folder, few, many = Path(name), new_database(), new_database()
        desks = [build(folder, few, FEW), build(folder, many, visits)]
        bare = bare_database(folder, engine, new_database)
        with (
            portal_site(folder, few, *desks[0]) as small,
            portal_site(folder, many, *desks[1]) as large,
            bare_site(folder, "benchmarks.web_bare", bare) as least,
            bare_site(folder, "benchmarks.web_libraries", new_database()) as libraries,
        ):
            rows = measure(small, large, least, libraries, turns, only)
            memory = [f"{megabytes(process):.0f} MB" for process in family(large.process)[1:]]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    text = [f"# {engine}, {visits:,} visits, commit {commit.strip()}", "", HEAD, *(row.line() for row in rows), ""]
    text += [f"Memory of the web processes after it: {', '.join(memory)}.", start_times(folder, many)]
    text.append(f"{os.cpu_count()} cores; load of the machine at the end {os.getloadavg()[0]:.1f}.")
    report = "\n".join(text)
    print(report, flush=True)
    return report + "\n"


Clients = Callable[[], list[Client]]


@dataclass
class Work:
    """What is measured: against which other work, by whose server, and what its clients do."""

    name: str
    target: str
    base: str
    site: Site
    clients: Clients


def measure(small: Site, large: Site, least: Site, libraries: Site, turns: int, only: str) -> list[Row]:
    """Drive everything in turn, so that what the machine does besides touches all alike. The first turn warms up."""
    measured = [*works(large, small), by_libraries(libraries)]
    all_works = [*bases(least), *(work for work in measured if work.name.startswith(only))]
    rows = {work.name: Row(work.name, work.target, work.base) for work in all_works}
    for turn in range(turns + 1):
        done: dict[str, Measured] = {}
        for work in all_works:
            clients = work.clients()
            done[work.name] = work.site.drive(clients)
            if turn and work.base:
                rows[work.name].measured.append(done[work.name])
                rows[work.name].bases.append(done[work.base])
    return [row for row in rows.values() if row.measured]


def bases(least: Site) -> list[Work]:
    """What the portal is compared with."""
    browser, slots = Browser(least.host), iter(range(1, SLOTS + 1))
    return [
        Work("hello", "", "", least, lambda: [read(browser, "/hello") for _ in range(2000)]),
        Work("page", "", "", least, lambda: [read(browser, "/page") for _ in range(1000)]),
        Work("booking", "", "", least, lambda: [smallest_booking(browser, next(slots)) for _ in range(400)]),
    ]


def by_libraries(site: Site) -> Work:
    """What no answer of the portal can be faster than while it is made of these libraries."""

    def answers() -> list[Client]:
        people = [Person(Browser(site.host)) for _ in range(150)]
        site.drive([person.open("/begin") for person in people])
        return [answer_page(person, {"answer": "1"}) for person in people]

    return Work("answer, by the libraries alone", "", "page", site, answers)


def works(large: Site, small: Site) -> list[Work]:
    """Everything that has a target, and the same with few visits stored."""
    found = [*portal_works(large, ""), *portal_works(small, f" with {FEW} visits")]
    pairs = {"article", "slots", "answer", "booking POST", "day board"}
    growth = [
        Work(f"{work.name}: growth", "at least 0.83", f"{work.name} with {FEW} visits", work.site, work.clients)
        for work in found[: len(found) // 2]
        if work.name in pairs
    ]
    return [*found, *growth]


def portal_works(site: Site, suffix: str) -> list[Work]:
    """The works on one portal."""
    stranger, patient = Browser(site.host), Person(Browser(site.host))
    site.drive([patient.pass_safety()], 1)
    desk = Person(Browser(site.host))
    site.drive([sign_in(desk, EMAIL, site.password)], 1)
    etag = ask(site.port, stranger.get(ARTICLE)).headers["etag"]

    def again(times: int, *arguments: Any, **headers: str) -> Clients:
        return lambda: [read(*arguments, **headers) for _ in range(times)]

    def people(count: int, do_first: Callable[[Person], Client] = Person.pass_safety) -> list[Person]:
        found = [Person(Browser(site.host)) for _ in range(count)]
        site.drive([do_first(person) for person in found])
        return found

    def answers(**headers: str) -> Clients:
        return lambda: [
            answer_page(person, {"skip": "1"}, **headers) for person in people(150, Person.begin_assessment)
        ]

    def last_step() -> list[Client]:
        found = people(40)
        site.drive([person.fill_in() for person in found])
        return [
            post_once(person.browser, "/book/check", {"csrf_token": person.token, **person.last}) for person in found
        ]

    return [
        Work(f"article{suffix}", "0.6", "hello", site, again(2000, stranger, ARTICLE)),
        Work(f"article, 304{suffix}", "0.75", "hello", site, again(2000, stranger, ARTICLE, 304, If_None_Match=etag)),
        Work(f"slots{suffix}", "0.5", "page", site, again(200, patient.browser, "/book/")),
        Work(f"answer{suffix}", "0.35", "page", site, answers()),
        Work(f"answer, htmx{suffix}", "0.35", "page", site, answers(**HTMX)),
        Work(f"booking POST{suffix}", "0.15; p99 under 50 ms", "booking", site, last_step),
        Work(f"slots to booked{suffix}", "100 a second", "booking", site, lambda: [p.book() for p in people(24)]),
        Work(
            f"whole journey{suffix}",
            "40 a second",
            "booking",
            site,
            lambda: [Person(Browser(site.host)).whole_journey() for _ in range(16)],
        ),
        Work(f"day board{suffix}", "under 20 ms", "page", site, again(20, desk.browser, site.full_day)),
    ]


def build(folder: Path, address: str, visits: int) -> tuple[str, str]:
    """The sample clinic with twelve clinicians, their free times and these visits; its full day, and a password."""
    app = create_app(settings_of(folder, address))
    with app.app_context():
        upgrade()
        load_clinic(read_clinic_file(SAMPLE_CLINIC))
        let_no_day_be_full()
        open_slots()
        day = get_today() + timedelta(days=DAYS_AHEAD)
        store_busy_day(day)
        store_free_times(FREE)
        store_past_visits(visits)
        password = add_staff(EMAIL, "Dee Desk", StaffRole.FRONT_DESK)
        gather_statistics()
        db.engine.dispose()
    return f"/desk/day/{day.isoformat()}", password


def settings_of(folder: Path, address: str) -> Settings:
    return Settings(data_dir=folder, database_url=address, secret_key=SECRET, encryption_keys=(SECRET,))


def environment(folder: Path, address: str, port: int) -> dict[str, str]:
    """A portal in production, but for the second factor of staff."""
    return {
        "PORTAL_ENV": "production",
        "PORTAL_DATA_DIR": str(folder),
        "PORTAL_DATABASE_URL": address,
        "PORTAL_SECRET_KEY": SECRET,
        "PORTAL_ENCRYPTION_KEYS": SECRET,
        "PORTAL_BASE_URL": f"http://localhost:{port}",
        "PORTAL_SMTP_URL": "smtp://localhost:1",
        "PORTAL_STAFF_MFA": "optional",
        "PORTAL_LIMITS_TIMES": "1000",  # all clients come from one address
        "PORT": str(port),
    }


@contextmanager
def portal_site(folder: Path, address: str, full_day: str, password: str) -> Iterator[Site]:
    port = free_port()
    with serve("portal:create_app()", port, environment(folder, address, port), "/healthz") as process:
        yield Site(port, process, full_day, password)


@contextmanager
def bare_site(folder: Path, module: str, address: str) -> Iterator[Site]:
    port = free_port()
    same = environment(folder, f"sqlite:///{folder}/none.db", port)  # the server reads it, and opens no database
    with serve(f"{module}:create_app()", port, {**same, "BARE_DATABASE": address}, "/hello") as process:
        yield Site(port, process)


@contextmanager
def serve(app: str, port: int, more: dict[str, str], alive: str, server: Sequence[str] = SERVER) -> Iterator[int]:
    """gunicorn, or what else is asked for; its process."""
    command = [sys.executable, "-m", *server, *(["--bind", f"127.0.0.1:{port}"] if server is SERVER else []), app]
    surroundings = {**os.environ, **more}
    surroundings.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # what is installed has its bytecode: nothing is compiled at start
    process = subprocess.Popen(command, cwd=ROOT, env=surroundings, start_new_session=True)
    try:
        wait_until_alive(port, alive, process)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            print(f"{server[0]} does not end by TERM", file=sys.stderr)
            for one in family(process.pid):
                os.kill(one, signal.SIGKILL)
            process.wait()


def wait_until_alive(port: int, path: str, process: subprocess.Popen[bytes]) -> None:
    while True:
        assert process.poll() is None, "the server ended before it answered"
        try:
            urllib.request.urlopen(f"http://localhost:{port}{path}", timeout=10).read()
            return
        except OSError:
            time.sleep(0.01)


def start_times(folder: Path, address: str) -> str:
    """How long it takes from the start of the server to its first answer."""
    took = []
    for _ in range(5):
        port = free_port()
        begin = time.perf_counter()
        with serve("portal:create_app()", port, environment(folder, address, port), "/healthz"):
            took.append(time.perf_counter() - begin)
    return f"From start to the first answer: {median(took):.2f} s (of five, {min(took):.2f} to {max(took):.2f} s)."


def bare_database(folder: Path, engine: str, new_database: Callable[[], str]) -> str:
    address = str(folder / "bare.db") if engine == "sqlite" else new_database().replace("+psycopg", "")
    prepare(address, SLOTS)
    return address


if __name__ == "__main__":
    sys.exit(main())
