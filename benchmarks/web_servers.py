"""Which server, with how many processes and threads: the same pages by each in turn. docs/decisions/0012-server.md."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.web import CLIENTS, ROOT, Site, build, environment, serve
from benchmarks.web_driver import Browser, Measured, family, megabytes
from benchmarks.web_people import ARTICLE, Person, read
from tests.servers import free_port

APP = "portal:create_app()"
QUIET = ("--no-control-socket", "--log-level", "error")
TURNS, VISITS = 3, 10_000


def gunicorn(*options: str) -> tuple[str, ...]:
    return ("gunicorn", *QUIET, *options)


SERVERS = {
    "gunicorn sync 2": gunicorn("--worker-class", "sync", "--workers", "2"),
    "gunicorn gthread 2 x 2": gunicorn("--worker-class", "gthread", "--workers", "2", "--threads", "2"),
    "gunicorn gthread 2 x 4": gunicorn("--worker-class", "gthread", "--workers", "2", "--threads", "4"),
    "gunicorn gthread 2 x 4, preload": gunicorn(
        "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--preload"
    ),
    "granian 2 x 1": ("granian", "--interface", "wsgi", "--workers", "2", "--log-level", "error", "--factory"),
}


def listening(server: Sequence[str], port: int) -> tuple[str, ...]:
    """The server's arguments with its port."""
    where = ("--port", str(port)) if server[0] == "granian" else ("--bind", f"127.0.0.1:{port}")
    return (*server, *where)


def main() -> int:
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder, address = Path(name), f"sqlite:///{name}/portal.db"
        build(folder, address, VISITS)
        sites = {}
        for title, server in SERVERS.items():
            port = free_port()
            app = APP.replace("()", "") if server[0] == "granian" else APP
            process = running.enter_context(
                serve(app, port, environment(folder, address, port), "/healthz", listening(server, port))
            )
            sites[title] = Site(port, process)
        measured = drive_in_turn(sites)
        memory = {title: [megabytes(process) for process in family(site.process)[1:]] for title, site in sites.items()}
    print("| Server | article ms | article/s | slots ms | slots/s | slots p99 | bookings/s | memory each |")
    print("|---|---|---|---|---|---|---|---|")
    for title, (articles, slots, bookings) in measured.items():
        print(
            f"| {title} | {middle(articles):.2f} | {rate(articles):.0f} | {middle(slots):.2f} | {rate(slots):.0f}"
            f" | {median(m.percentile(0.99) for m in slots):.0f} | {rate(bookings):.1f}"
            f" | {max(memory[title]):.0f} MB |"
        )
    for title, server in SERVERS.items():
        print(f"{title}: ended by TERM {', '.join(stop_while_starting(server, delay) for delay in (0.3, 0.8, 1.5, 4))}")
    return 0


def middle(measured: list[Measured]) -> float:
    return median(m.cpu_ms() for m in measured)


def rate(measured: list[Measured]) -> float:
    return median(m.per_second() for m in measured)


def drive_in_turn(sites: dict[str, Site]) -> dict[str, tuple[list[Measured], list[Measured], list[Measured]]]:
    measured: dict[str, tuple[list[Measured], list[Measured], list[Measured]]] = {t: ([], [], []) for t in sites}
    patients = {title: Person(Browser(site.host)) for title, site in sites.items()}
    for title, site in sites.items():
        site.drive([patients[title].pass_safety()], 1)
    for turn in range(TURNS + 1):
        for title, site in sites.items():
            stranger, people = Browser(site.host), [Person(Browser(site.host)) for _ in range(16)]
            site.drive([person.pass_safety() for person in people])
            found = (
                site.drive([read(stranger, ARTICLE) for _ in range(1000)]),
                site.drive([read(patients[title].browser, "/book/") for _ in range(100)]),
                site.drive([person.book() for person in people], CLIENTS),
            )
            if turn:
                for kept, one in zip(measured[title], found, strict=True):
                    kept.append(one)
    return measured


def stop_while_starting(server: Sequence[str], delay: float) -> str:
    """How long the server takes to end when it is told to so soon after its start; "hangs" after ten seconds."""
    with tempfile.TemporaryDirectory() as name:
        port = free_port()
        settings = environment(Path(name), f"sqlite:///{name}/portal.db", port)
        app = APP.replace("()", "") if server[0] == "granian" else APP
        command = [sys.executable, "-m", *listening(server, port), app]
        process = subprocess.Popen(command, cwd=ROOT, env=settings | {"PATH": ""}, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        begin = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            for one in family(process.pid):
                subprocess.run(["kill", "-9", str(one)], check=False)
            return f"after {delay} s: hangs"
        return f"after {delay} s: {time.perf_counter() - begin:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
