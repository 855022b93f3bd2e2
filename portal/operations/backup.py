"""Make a backup: a sealed copy of the database as it is at one moment, read back and checked before it counts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from portal.config import current_settings
from portal.core import clock
from portal.core.db import db
from portal.core.files import keep_for_good
from portal.operations import postgresql_copy, sqlite_copy
from portal.operations.health import get_revision
from portal.operations.notes import BACKUP, note
from portal.operations.sealed_file import BadFile, seal, unseal

ENDING = ".backup"


@dataclass(frozen=True)
class Backup:
    """A backup that was checked; `tried` tells whether its dump was restored for that, or only read to its end."""

    path: Path
    manifest: dict[str, Any]
    tried: bool

    @property
    def taken_at(self) -> datetime:
        return datetime.fromisoformat(self.manifest["taken_at"])


def make_backup(folder: Path, keep: int = 0) -> Backup:
    """Make a backup in that folder and remove all but the newest so many; 0 keeps them all.

    Raises BadFile or OSError when none could be made; then there is none of it, and none was removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = f"portal-{clock.now():%Y%m%dT%H%M%SZ}{ENDING}"
    draft = folder / f".{name}.draft"
    try:
        draft.touch(mode=0o600)
        with _content() as (manifest, content), draft.open("wb") as target:
            seal(target, current_settings().backup_keys[0], manifest, content)
        keep_for_good(draft)
        backup = check_backup(draft)
        draft.replace(folder / name)
        keep_for_good(folder / name)
    finally:
        draft.unlink(missing_ok=True)
    with suppress(SQLAlchemyError):  # before its table is there, or on a volume that can only be read
        note(BACKUP, file=name, bytes=(folder / name).stat().st_size)
    _remove_old(folder, keep)
    return Backup(folder / name, backup.manifest, backup.tried)


def check_backup(path: Path) -> Backup:
    """Read a backup to its end and try it. Raises BadFile when it cannot be restored from."""
    with opened(path) as (manifest, copy):
        tried = True
        if manifest["engine"] == "sqlite":
            if sqlite_copy.count_rows(copy) != manifest["counts"]:
                raise BadFile("it does not hold all rows")
        elif db.engine.dialect.name == "postgresql":
            tried = postgresql_copy.check_archive(copy, manifest["counts"], make_url(db.engine.url))
        else:
            tried = False
        return Backup(path, manifest, tried)


@contextmanager
def opened(path: Path) -> Iterator[tuple[dict[str, Any], Path]]:
    """A backup's manifest and a scratch file with its content, which is whole. Raises BadFile."""
    settings = current_settings()
    with path.open("rb") as source, sqlite_copy.scratch(settings.data_dir) as copy:
        manifest, content = unseal(source, settings.backup_keys)
        with copy.open("wb") as target:
            for piece in content:
                target.write(piece)
        yield manifest, copy


@contextmanager
def _content() -> Iterator[tuple[dict[str, Any], Iterator[bytes]]]:
    manifest = {"engine": db.engine.dialect.name, "taken_at": clock.now().isoformat()}
    if db.engine.dialect.name == "sqlite":
        with sqlite_copy.scratch(current_settings().data_dir) as copy:
            sqlite_copy.copy_online(Path(str(db.engine.url.database)), copy)
            facts = {"revision": sqlite_copy.read_revision(copy), "counts": sqlite_copy.count_rows(copy)}
            yield manifest | facts, sqlite_copy.read_pieces(copy)
        return
    with db.engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        facts = {
            "counts": postgresql_copy.count_rows(connection),
            "revision": get_revision(connection),
        }
        yield manifest | facts, postgresql_copy.dump(connection, make_url(db.engine.url))


def _remove_old(folder: Path, keep: int) -> None:
    for old in sorted(folder.glob(f"portal-*{ENDING}"), reverse=True)[keep:] if keep else []:
        old.unlink()
