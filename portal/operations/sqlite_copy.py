"""A SQLite database copied while it is in use, looked at, and put in the place of another."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from portal.core.db import db
from portal.core.files import keep_for_good
from portal.operations.sealed_file import PIECE, BadFile

DAY = 24 * 3600  # seconds
SIDES = ("", "-wal", "-shm")  # a database and the files that belong to it


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A place for a copy that only this account may read, and that is gone afterwards."""
    for left in folder.glob(".copy-*"):
        if time.time() - left.stat().st_mtime > DAY:  # by a process that was killed
            left.unlink(missing_ok=True)
    path = folder / f".copy-{os.getpid()}.db"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    try:
        yield path
    finally:
        for side in SIDES:
            Path(f"{path}{side}").unlink(missing_ok=True)


def copy_online(source: Path, target: Path) -> None:
    """Copy the database as it is at one moment, while others read and write."""
    there = f"file:{quote(str(source))}?mode=rw"  # which makes none where there is none
    with closing(sqlite3.connect(there, uri=True, timeout=30)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file is all there is of it


def read_pieces(path: Path) -> Iterator[bytes]:
    """The file's bytes."""
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def count_rows(path: Path) -> dict[str, int]:
    """How many rows each table has. Raises BadFile when the database is damaged."""
    try:
        with closing(sqlite3.connect(path)) as database:
            if (found := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                raise BadFile(f"the database in it is damaged: {found}")
            names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
            return {
                name: database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]  # noqa: S608
                for (name,) in names.fetchall()
            }
    except sqlite3.DatabaseError as error:
        raise BadFile(f"the database in it cannot be read: {error}") from error


def read_revision(path: Path) -> str | None:
    """The migration that the database stands at."""
    with closing(sqlite3.connect(path)) as database:
        row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    return row[0] if row else None


def is_occupied() -> bool:
    """Whether there is a database, be it damaged."""
    path = _place()
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        return bool(count_rows(path))
    except BadFile:
        return True


def is_in_use() -> bool:
    """Whether another process has the database open: nobody else may, for its log to be put away."""
    try:
        with closing(sqlite3.connect(_place(), timeout=0)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.DatabaseError:  # damaged, which is why there is a restore
        return False
    return False


def name_aside(stamp: str) -> str:
    """Where the database of now is kept when another takes its place."""
    return f"{_place()}.before-restore-{stamp}"


def put_in_place(copy: Path, aside: str) -> None:
    """Let the copy be the database; what was there is kept aside with all that belongs to it."""
    place = _place()
    new = place.with_name(f".{place.name}.restored")  # on the same disk, so that it is there at once or not at all
    shutil.copyfile(copy, new)
    new.chmod(0o600)
    keep_for_good(new)
    _move(str(place), aside)
    new.replace(place)
    keep_for_good(place)


def put_back(aside: str) -> None:
    """Let what was put aside be the database again."""
    for side in SIDES:
        Path(f"{_place()}{side}").unlink(missing_ok=True)
    _move(aside, str(_place()))


def forget(aside: str) -> None:
    """Remove what was put aside."""
    for side in SIDES:
        Path(f"{aside}{side}").unlink(missing_ok=True)


def _move(source: str, target: str) -> None:
    for side in SIDES:
        if Path(f"{source}{side}").exists():
            Path(f"{source}{side}").replace(f"{target}{side}")


def _place() -> Path:
    return Path(str(db.engine.url.database))
