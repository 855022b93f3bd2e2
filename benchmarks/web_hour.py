"""What the web processes hold while they are at work for an hour: `python -m benchmarks.web_hour`.

A portal on each database, in turn, with a year's data: people read, answer, look for times and book, the desk looks at
its day. The machine is kept half busy. Prints the memory of each web process as the hour goes by.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.diary import postgresql, sqlite
from benchmarks.web import CLIENTS, EMAIL, MANY, Site, build, portal_site
from benchmarks.web_driver import Browser, Client, family, megabytes
from benchmarks.web_people import ARTICLE, Person, read, sign_in
from tests.servers import find_postgresql

TIMES_SHOWN = 12  # in all the time that it works
TO_READ = ("/", ARTICLE, "/specialists/", "/book/safety")


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--minutes", type=int, default=60)
    arguments.add_argument("--visits", type=int, default=MANY)
    asked = arguments.parse_args()
    logging.disable(logging.INFO)
    engines = {"SQLite": sqlite, "PostgreSQL": postgresql} if find_postgresql() else {"SQLite": sqlite}
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        desks: dict[str, tuple[Site, Person]] = {}
        for engine, make_databases in engines.items():
            folder = Path(name, engine)
            folder.mkdir()
            address = running.enter_context(contextmanager(make_databases)(folder))()
            site = running.enter_context(portal_site(folder, address, *build(folder, address, asked.visits)))
            desks[engine] = site, Person(Browser(site.host))
        work_for(asked.minutes * 60, desks)
    return 0


def work_for(seconds: int, desks: dict[str, tuple[Site, Person]]) -> None:
    """Keep the portals at work for so long, and print what their processes hold."""
    begin, shown, done = time.monotonic(), 0, dict.fromkeys(desks, 0)
    for site, desk in desks.values():
        site.drive([sign_in(desk, EMAIL, site.password)], 1)
    titles = (f"{engine}: requests | MB of each process" for engine in desks)
    print("| Minutes |", " | ".join(titles), "|")
    print("|" + "---|" * (1 + 2 * len(desks)))
    while shown <= TIMES_SHOWN:
        for engine, (site, desk) in desks.items():
            measured = site.drive(some_of_each(site, desk), CLIENTS)
            done[engine] += measured.requests
            time.sleep(measured.seconds)
        if time.monotonic() - begin >= shown * seconds / TIMES_SHOWN:
            cells = (f"{done[engine]:,} | {list_memory(site)}" for engine, (site, _) in desks.items())
            print(f"| {(time.monotonic() - begin) / 60:.0f} |", " | ".join(cells), "|", flush=True)
            shown += 1


def some_of_each(site: Site, desk: Person) -> list[Client]:
    """What a few people do at once, each in a browser of their own."""
    return [
        *(Person(Browser(site.host)).whole_journey() for _ in range(4)),
        *(read(Browser(site.host), path) for path in TO_READ for _ in range(10)),
        read(desk.browser, site.full_day),
    ]


def list_memory(site: Site) -> str:
    return ", ".join(f"{megabytes(process):.1f}" for process in family(site.process)[1:])


if __name__ == "__main__":
    sys.exit(main())
