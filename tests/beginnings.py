"""What takes long to arrange for a test is kept as it then stands, for all tests that begin with it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flask import Flask

from portal.audit.verification import HEADS
from portal.core import clock
from portal.core.db import db
from tests.servers import PostgresServer
from tests.visitor import Visitor


def clear_away(folder: Path) -> None:
    """What another test has left: its database, and the heads of its audit trail."""
    (folder / HEADS).unlink(missing_ok=True)
    for leftover in folder.glob("portal.db*"):
        leftover.unlink()


def let_go(app: Flask) -> None:
    """No connection is open any more, and nothing of the database waits beside its file."""
    with app.app_context():
        db.session.remove()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()


@dataclass
class Beginning:
    """A database, people's browsers and the time of day, as they stood once something was arranged."""

    name: str
    moment: datetime
    browsers: list[tuple[dict[Any, Any], dict[str, str | None]]]
    result: Any

    @classmethod
    def keep(
        cls, name: str, app: Flask, server: PostgresServer | None, people: Sequence[Visitor], result: Any
    ) -> Beginning:
        let_go(app)
        for place, kept in cls._files(app, name):
            if place.exists():
                shutil.copyfile(place, kept)
        if server:
            server.renew_database(name, template="of_a_test")
        return cls(name, clock.now(), [person.remember() for person in people], result)

    def restore(self, app: Flask, server: PostgresServer | None, people: Sequence[Visitor]) -> None:
        let_go(app)
        clear_away(app.config["PORTAL"].data_dir)
        for place, kept in self._files(app, self.name):
            if kept.exists():
                shutil.copyfile(kept, place)
        if server:
            server.renew_database("of_a_test", template=self.name)
        for person, browser in zip(people, self.browsers, strict=True):
            person.be_as(browser)

    @staticmethod
    def _files(app: Flask, name: str) -> list[tuple[Path, Path]]:
        """Where each file stands, and where it is kept."""
        folder: Path = app.config["PORTAL"].data_dir
        return [(folder / file, folder / f"{name}-{file}") for file in ("portal.db", HEADS)]
