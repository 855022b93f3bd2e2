"""`flask doctor`: all that must be right for the portal to do its work, each with what to do when it is not."""

from __future__ import annotations

import shutil
import smtplib
import socket
import sqlite3
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from portal.accounts.services import has_staff
from portal.audit.queries import last_entry_at
from portal.audit.verification import get_head, verify
from portal.config import LOOPBACK_HOSTS, Settings, current_settings
from portal.core import clock
from portal.core.db import db, words_of_driver
from portal.notifications.queries import list_held, list_problems
from portal.notifications.transport import meet_server
from portal.operations.health import Check, State, check_readiness
from portal.operations.keys import find_unreadable
from portal.operations.notes import BACKUP, SOON, WORKER, last_time
from portal.scheduling.free_times import list_free_slots
from portal.scheduling.queries import is_guarded

SAFE_SQLITE = (3, 51, 3)  # from here on, several processes cannot damage the write-ahead log
MEGABYTE = 1024 * 1024
LITTLE_ROOM, NO_ROOM = 2048 * MEGABYTE, 256 * MEGABYTE
FEW_CHARACTERS = 12  # different ones in a key; a random one of 32 has about 25
SLOW = 0.5  # seconds for the smallest question to the database
ODD_CLOCK, WRONG_CLOCK = 2, 60  # seconds apart
RENEW_SOON = timedelta(days=14)
BACKUP_DUE, BACKUP_MISSED = timedelta(hours=26), timedelta(days=3)


def examine() -> list[Check]:
    """Every check; those that need the database are left out while it does not answer."""
    settings = current_settings()
    checks = [*_check_settings(settings), *_check_files(settings), *_check_room(settings), _check_mail_server(settings)]
    readiness = check_readiness(why=words_of_driver)
    checks += readiness
    if any(check.name in {"database", "migrations"} and check.state is State.FAIL for check in readiness):
        return checks
    for check in (_check_database, _check_clock, _check_worker, _check_backup, _check_keys, *AT_LEISURE):
        try:
            checks.append(check(settings))
        except (SQLAlchemyError, OSError) as error:
            checks.append(Check(check.__name__.removeprefix("_check_"), State.FAIL, str(error).splitlines()[0]))
    return checks


def _grave(settings: Settings) -> State:
    """What a clinic must not run with, and a developer may."""
    return State.FAIL if settings.production else State.WARN


def _check_settings(settings: Settings) -> Iterator[Check]:
    yield _check_secrets(settings)
    if not settings.production:
        yield Check("settings", State.OK, "for development: PORTAL_ENV is not `production`")
        return
    if not settings.base_url.startswith("https://"):
        yield Check("address", State.FAIL, f"{settings.base_url} is not encrypted", "use https in PORTAL_BASE_URL")
        return
    try:
        socket.getaddrinfo(settings.host, 443)
        yield Check("address", State.OK, settings.base_url)
    except OSError:
        yield Check("address", State.WARN, f"{settings.host} is not known here", "see PORTAL_BASE_URL and the DNS")


def _check_secrets(settings: Settings) -> Check:
    keys = {"PORTAL_SECRET_KEY": (settings.secret_key,), "PORTAL_ENCRYPTION_KEYS": settings.encryption_keys}
    keys["PORTAL_BACKUP_KEY"] = settings.backup_key
    weak = [name for name, values in keys.items() if any(len(set(value)) < FEW_CHARACTERS for value in values)]
    values = [value for group in keys.values() for value in group]
    if weak:
        return Check(
            "secrets", _grave(settings), f"{', '.join(weak)} can be guessed", "make them from random characters"
        )
    if len(set(values)) < len(values):
        return Check("secrets", _grave(settings), "one serves for two purposes", "give each setting its own")
    return Check("secrets", State.OK, f"long enough, {len(settings.encryption_keys)} to decrypt with")


def _check_files(settings: Settings) -> Iterator[Check]:
    private = [settings.data_dir / "secrets.json"]
    if settings.database.startswith("sqlite:///"):
        private.append(Path(settings.database.removeprefix("sqlite:///")))
    open_ones = [path for path in private if path.exists() and path.stat().st_mode & 0o077]
    for path in open_ones:
        closed = path.parent.stat().st_mode & 0o077 == 0
        if not closed:
            state = State.FAIL if path.name == "secrets.json" else State.WARN
            yield Check("files", state, f"others on this machine may read {path}", f"run `chmod 700 {path.parent}`")
            return
    yield Check("files", State.OK, f"only this account reads what is in {settings.data_dir}")


def _check_room(settings: Settings) -> Iterator[Check]:
    folder = settings.data_dir
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"room")
    except OSError as error:
        yield Check("disk", State.FAIL, f"{folder} cannot be written to ({error.strerror})", "see its owner and mount")
        return
    free = shutil.disk_usage(folder).free
    state = State.FAIL if free < NO_ROOM else State.WARN if free < LITTLE_ROOM else State.OK
    yield Check("disk", state, f"{free // MEGABYTE:,} MB free in {folder}", "make room or a larger disk")


def _check_mail_server(settings: Settings) -> Check:
    if not settings.smtp_url:
        return Check("mail server", State.OK, "none: mail is written into the data folder and shown at /dev/mail/")
    try:
        server = meet_server(settings.smtp_url)
    except ssl.SSLCertVerificationError as error:
        return Check(
            "mail server", State.FAIL, f"its certificate is refused: {error.verify_message}", "have it renewed"
        )
    except smtplib.SMTPAuthenticationError:
        return Check("mail server", State.FAIL, "it refuses to sign us in", "see the account in PORTAL_SMTP_URL")
    except (OSError, smtplib.SMTPException) as error:
        return Check(
            "mail server", State.FAIL, f"no conversation ({error})", "see PORTAL_SMTP_URL; mail waits meanwhile"
        )
    if server.good_until is None:
        host = settings.smtp_url.partition("//")[2].rpartition("@")[2].partition(":")[0]
        state = State.OK if host in LOOPBACK_HOSTS else State.WARN
        return Check("mail server", state, "it answers, unencrypted", "add `?starttls=required` to PORTAL_SMTP_URL")
    left = server.good_until - clock.now()
    state = State.OK if left > RENEW_SOON else State.WARN
    return Check("mail server", state, f"it answers, its certificate is good for {left.days} days", "have it renewed")


def _check_database(settings: Settings) -> Check:
    begun = time.monotonic()
    db.session.execute(text("SELECT 1"))
    took = time.monotonic() - begun
    if db.engine.dialect.name == "sqlite" and sqlite3.sqlite_version_info < SAFE_SQLITE:
        found = f"SQLite {sqlite3.sqlite_version}, in which several processes can damage the file in rare cases"
        wanted = f"use PostgreSQL, or SQLite {'.'.join(map(str, SAFE_SQLITE))} and newer"
        return Check("database", _grave(settings), found, wanted)
    version = ".".join(map(str, db.engine.dialect.server_version_info or ()))
    state = State.OK if took < SLOW else State.WARN
    found = f"{db.engine.dialect.name} {version}, answers in {took * 1000:.0f} ms"
    return Check("database", state, found, "see what keeps it busy")


def _check_clock(_settings: Settings) -> Check:
    apart, whose = 0.0, "the last entry of the audit trail"
    if db.engine.dialect.name == "postgresql":
        there = db.session.execute(select(func.clock_timestamp())).scalar_one()
        apart, whose = abs((clock.now() - there).total_seconds()), "the database's"
    elif last := last_entry_at():
        apart = max(0.0, (last - clock.now()).total_seconds())
    state = State.FAIL if apart > WRONG_CLOCK else State.WARN if apart > ODD_CLOCK else State.OK
    return Check("clock", state, f"{apart:.0f} s from {whose}", "let both machines keep the time by NTP")


def _check_worker(settings: Settings) -> Check:
    seen = last_time(WORKER)
    if seen and clock.now() - seen < SOON:
        return Check("worker", State.OK, f"seen {_ago(clock.now() - seen)} ago")
    found = f"not seen for {_ago(clock.now() - seen)}" if seen else "never seen"
    return Check("worker", _grave(settings), f"{found}: no mail leaves", "start `flask mail worker`")


def _check_backup(settings: Settings) -> Check:
    made = last_time(BACKUP)
    age = clock.now() - made if made else None
    state = State.OK if age and age < BACKUP_DUE else State.WARN if age and age < BACKUP_MISSED else _grave(settings)
    found = f"the last is {_ago(age)} old" if age else "there is none yet"
    return Check("backup", state, found, "let `flask backup --to … --keep 30` run every night")


def _check_keys(_settings: Settings) -> Check:
    unreadable = find_unreadable()
    if unreadable is None:
        return Check("encryption", State.OK, "what is stored can be read")
    found = f"{unreadable} cannot be read"
    return Check("encryption", State.FAIL, found, "put the missing key behind the others in PORTAL_ENCRYPTION_KEYS")


def _check_desk_mail(_settings: Settings) -> Check:
    count = len(list_problems())
    return Check("mail for the desk", State.FAIL if count else State.OK, f"{count} did not arrive", "see /desk/mail/")


def _check_held_mail(_settings: Settings) -> Check:
    count = len(list_held())
    found = f"{count} on hold since a restore"
    return Check(
        "held mail", State.FAIL if count else State.OK, found, "decide at /desk/mail/, or `flask mail release`"
    )


def _check_trail(_settings: Settings) -> Check:
    report = verify()
    if report.is_whole:
        return Check("audit trail", State.OK, f"whole, {report.count} entries; head {get_head()}")
    found = f"changed at entry {report.torn}" if report.torn else f"cut off before entry {report.lost}"
    return Check("audit trail", State.FAIL, found, "find out who has written to the database")


def _check_staff(settings: Settings) -> Check:
    found = has_staff()
    words = "somebody can sign in" if found else "nobody can sign in"
    return Check("staff", State.OK if found else _grave(settings), words, "run `flask staff add`")


def _check_diary(_settings: Settings) -> Check:
    if is_guarded():
        return Check("diary", State.OK, "the database lets nobody have two visits at one time")
    found = "nothing in the database keeps a clinician from two visits at one time"
    return Check("diary", State.FAIL, found, "see `FAIL diary` in docs/operations.md")


def _check_times(_settings: Settings) -> Check:
    free = list_free_slots("consult", 1)
    state = State.OK if free else State.FAIL
    return Check("times to book", state, "there are" if free else "none is free", "see /desk/setup/ and the closures")


AT_LEISURE: tuple[Callable[[Settings], Check], ...] = (
    _check_desk_mail,
    _check_held_mail,
    _check_trail,
    _check_staff,
    _check_diary,
    _check_times,
)


def _ago(age: timedelta) -> str:
    minutes = int(age.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours" if minutes < 48 * 60 else f"{minutes // 60 // 24} days"
