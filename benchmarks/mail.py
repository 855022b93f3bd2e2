"""How fast queued mail leaves, with one worker and with several: `make bench`.

Real workers, as in production, send to a mail server on this machine that takes everything. Prints mails a second,
from the first that was sent to the last. What would take more than three minutes, by the rate of fewer mails, is left
out. SQLite waits for the disk, once a mail; PostgreSQL is that of the tests, which does not.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing import Process
from pathlib import Path

from flask_migrate import upgrade
from sqlalchemy import func, select, update

from benchmarks.diary import NewDatabase, gather_statistics, let_no_day_be_full, postgresql, sqlite
from benchmarks.stored import store_coming_visits
from portal import create_app
from portal.config import Settings
from portal.core import clock
from portal.core.db import db, transactional
from portal.notifications.models import MailState, OutgoingMail
from portal.run import SAMPLE_CLINIC
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.setup import load_clinic
from tests.conftest import settings_environment
from tests.servers import ROOT, find_postgresql, free_port

SIZES = 1_000, 10_000
WORKERS = 1, 2, 4
WEEKS = 8  # in which there is room for so many visits
LONGEST = 180  # seconds
UNTIL_READY = timedelta(seconds=15)  # until workers have started and done their first chores
SECRET = "for-measuring-only-" * 2
BASE_URL = "http://localhost:8000"


def main() -> None:
    logging.disable(logging.INFO)  # what the migrations say
    with mail_server() as url:
        measure_all("SQLite", sqlite, url)
        if find_postgresql() is None:
            print("PostgreSQL is not installed and was left out.")
        else:
            measure_all("PostgreSQL", postgresql, url)


def measure_all(name: str, engine: Callable[[Path], Iterator[NewDatabase]], url: str) -> None:
    """Measure on one engine and print it."""
    with tempfile.TemporaryDirectory() as folder, contextmanager(engine)(Path(folder)) as new_database:
        settings = Settings(
            env="production",
            base_url=BASE_URL,
            data_dir=Path(folder),
            database_url=new_database(),
            secret_key=SECRET,
            encryption_keys=(SECRET,),
            smtp_url=url,
        )
        with create_app(settings).app_context():
            build()
            print(f"\n{name:16}" + "".join(f"{workers:>5} worker{'s' if workers > 1 else ' '}" for workers in WORKERS))
            rates: dict[int, float] = {}
            for size in SIZES:
                print(f"{size:>10,} mails", end="", flush=True)
                for workers in WORKERS:
                    if workers in rates and size / rates[workers] > LONGEST:
                        print(f"{'left out':>13}", end="", flush=True)
                        continue
                    rates[workers] = drain(settings, size, workers)
                    print(f"{rates[workers]:>11.1f}/s", end="", flush=True)
                print()
            db.session.remove()
            db.engine.dispose()


def build() -> None:
    """The sample clinic with a visit for each mail."""
    upgrade()
    load_clinic(read_clinic_file(SAMPLE_CLINIC))
    let_no_day_be_full()
    store_coming_visits(max(SIZES), WEEKS * 7)
    gather_statistics()


def drain(settings: Settings, size: int, workers: int) -> float:
    """Let so many workers send so many mails; how many a second."""
    queue(size)
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "mail", "worker"]
    production = {"PORTAL_ENV": settings.env, "PORTAL_BASE_URL": BASE_URL}
    environment = {**os.environ, **settings_environment(settings), **production}
    processes = [subprocess.Popen(command, cwd=ROOT, env=environment) for _ in range(workers)]
    try:
        while count_waiting():
            time.sleep(1)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    first, last = db.session.execute(select(func.min(OutgoingMail.sent_at), func.max(OutgoingMail.sent_at))).one()
    return size / (last - first).total_seconds()


@transactional
def queue(size: int) -> None:
    """Have so many mails wait, due in a moment and in the order of their numbers; the others are out of the way."""
    due_at = clock.now() + UNTIL_READY
    last = db.session.scalar(select(OutgoingMail.id).order_by(OutgoingMail.id).offset(size - 1).limit(1))
    db.session.execute(update(OutgoingMail).values(state=MailState.SENT, sent_at=None, attempts=0))
    waiting = {"state": MailState.QUEUED, "not_before": due_at, "due_at": due_at}
    db.session.execute(update(OutgoingMail).where(OutgoingMail.id <= last).values(**waiting))


def count_waiting() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(OutgoingMail.state != MailState.SENT)) or 0


@contextmanager
def mail_server() -> Iterator[str]:
    """A process that takes all mail and keeps none; yields its address."""
    port = free_port()
    process = Process(target=lambda: asyncio.run(serve(port)), daemon=True)
    process.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


async def serve(port: int) -> None:
    server = await asyncio.start_server(take_mail, "127.0.0.1", port, limit=2**20)
    await server.serve_forever()


async def take_mail(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        match line[:4].upper():
            case b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                writer.write(b"250 taken\r\n")
            case b"EHLO":
                writer.write(b"250-here\r\n250-SIZE\r\n250 PIPELINING\r\n")
            case b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            case _:
                writer.write(b"250 fine\r\n")
    writer.close()


if __name__ == "__main__":
    main()
