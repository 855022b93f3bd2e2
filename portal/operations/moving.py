"""A backup of a SQLite database put into PostgreSQL: how a clinic moves when it grows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, create_engine, delete, insert, select, text, update

from portal.core.db import Base, db
from portal.operations import postgresql_copy

ROWS = 500  # at a time


def put_in_place(copy: Path, aside: str) -> None:
    """Make the tables and fill them from the SQLite database; what was there is kept in a schema of that name."""
    from flask_migrate import upgrade  # only here: no web process has to carry Alembic

    postgresql_copy.make_room(aside)
    try:
        upgrade()
        source = create_engine(f"sqlite:///{copy}")
        with source.connect() as old, db.engine.begin() as new:
            for table in reversed(Base.metadata.sorted_tables):
                new.execute(delete(table))  # what migrations have put there
            for table in Base.metadata.sorted_tables:
                _copy_rows(table, old, new)
                _go_on_counting(table, new)
        source.dispose()
    except BaseException:  # where a migration fails, Flask-Migrate ends the process; or somebody does by Ctrl-C
        db.session.remove()
        db.engine.dispose()
        postgresql_copy.put_back(aside)
        raise


def _copy_rows(table: Table, old: Connection, new: Connection) -> None:
    """Copy the rows; what points into the same table is set when all of them are there."""
    inward = {key.parent.name for key in table.foreign_keys if key.column.table is table}
    for rows in old.execute(select(table)).partitions(ROWS):
        new.execute(insert(table), [{**row._mapping, **dict.fromkeys(inward)} for row in rows])
    for name in inward:
        for row in old.execute(select(table).where(table.c[name].is_not(None))):
            new.execute(update(table).where(*_is(table, row._mapping)).values({name: row._mapping[name]}))


def _is(table: Table, row: Any) -> list[Any]:
    return [key == row[key.name] for key in table.primary_key.columns]


def _go_on_counting(table: Table, new: Connection) -> None:
    """Let the numbers of new rows follow those of the rows that came."""
    key = table.autoincrement_column
    if key is None:
        return
    sequence = new.scalar(text("SELECT pg_get_serial_sequence(:table, :key)"), {"table": table.name, "key": key.name})
    highest = new.scalar(select(key).order_by(key.desc()).limit(1))
    if sequence and highest:
        new.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})
