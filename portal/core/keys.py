"""Which key encrypts what, and bringing all of it under the newest one while the portal runs.

It goes through the tables in short steps. A value is replaced only if it is still what was read, so nobody's change is
lost; whoever is stopped begins again and finds what is done done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    FromClause,
    Select,
    String,
    literal,
    select,
    type_coerce,
    update,
)

from portal.core import crypto
from portal.core.columns import EncryptedJSON, EncryptedText
from portal.core.db import Base, db, transactional

AT_ONCE = 200  # values of a step
MOST_PASSES = 6  # after the first, which finds the hashes outdated, a second finds all done
PLAIN, UNREADABLE = "readable", "unreadable"  # not encrypted yet; by none of the keys

Found = dict[str, Counter[str]]  # by "table.column": how many under the key of which name
_rehashed: dict[type[Base], tuple[Callable[[Any], dict[str, str | None]], Select[Any]]] = {}


@dataclass
class Survey:
    """What hangs on which key."""

    values: Found = field(default_factory=dict)
    outdated_hashes: Counter[str] = field(default_factory=Counter)  # by table

    @property
    def total(self) -> Counter[str]:
        """How many values under the key of which name."""
        return sum(self.values.values(), Counter())

    @property
    def left(self) -> int:
        """How much is not under the newest key, as far as a key for it is known."""
        newest = crypto.get_keyring().names[0]
        return sum(n for name, n in self.total.items() if name not in {newest, UNREADABLE}) + sum(
            self.outdated_hashes.values()
        )


def rehash_with(
    model: type[Base], compute: Callable[[Any], dict[str, str | None]], rows: Select[Any] | None = None
) -> None:
    """Let a feature say which keyed hashes a row should have now, by the names of its columns; and of which rows."""
    _rehashed[model] = compute, select(model) if rows is None else rows


def list_encrypted() -> list[Column[Any]]:
    """Every column of every table that is encrypted."""
    tables = Base.metadata.sorted_tables
    return [c for table in tables for c in table.columns if isinstance(c.type, EncryptedJSON | EncryptedText)]


def survey() -> Survey:
    """Count what is under which key; nothing is changed."""
    found = Survey()
    for column in list_encrypted():
        counts = found.values[f"{column.table.name}.{column.name}"] = Counter()
        for rows in _batches(column):
            counts.update(_name_key(raw) for _, raw in rows)
    for model in _rehashed if not found.total[UNREADABLE] else ():  # they are made of what is encrypted
        found.outdated_hashes[model.__tablename__] += sum(_rehash(model, change=False))
    return found


def rotate() -> Survey:
    """Bring everything under the newest key, and say what hangs on which afterwards.

    More than nothing is left when a process that still has the old settings goes on writing.
    """
    for _ in range(MOST_PASSES):
        for column in list_encrypted():
            for rows in _batches(column):
                _renew(column, rows)
        found = survey()
        if not found.left or found.total[UNREADABLE]:
            break
        for model in _rehashed:
            list(_rehash(model, change=True))
    return found


def _name_key(raw: Any) -> str:
    if isinstance(raw, str) and not raw.startswith(crypto.SIGN_OF_CIPHER):
        return PLAIN
    place = crypto.get_keyring().find_key(raw.encode() if isinstance(raw, str) else raw)
    return UNREADABLE if place is None else crypto.get_keyring().names[place]


def _batches(column: Column[Any]) -> Iterator[list[tuple[Any, Any]]]:
    """The stored values of a column as they are, with the ids of their rows, a few at a time."""
    key = _only_key(column.table)
    raw, last = _raw(column), None
    while True:
        query = select(key, raw).where(column.is_not(None)).order_by(key).limit(AT_ONCE)
        rows = [(row[0], row[1]) for row in db.session.execute(query if last is None else query.where(key > last))]
        db.session.rollback()  # nobody waits for this reader
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _only_key(table: FromClause) -> ColumnElement[Any]:
    key = list(table.primary_key)
    assert len(key) == 1, f"{table} has encrypted columns and needs a key of one column"
    return key[0]


def _raw(column: Column[Any]) -> Any:
    stored = String() if isinstance(column.type, EncryptedText) else EncryptedJSON.impl()
    return type_coerce(column, stored)


def _renew(column: Column[Any], rows: list[tuple[Any, Any]]) -> None:
    newest = crypto.get_keyring().names[0]
    old = [(id_, raw) for id_, raw in rows if _name_key(raw) not in {newest, UNREADABLE}]
    if old:
        _store(column, [(id_, raw, _encrypt_anew(raw)) for id_, raw in old])


def _encrypt_anew(raw: Any) -> Any:
    if not isinstance(raw, str):
        return crypto.encrypt(crypto.decrypt(raw))
    plain = raw.encode() if _name_key(raw) == PLAIN else crypto.decrypt(raw.encode())
    return crypto.encrypt(plain).decode()


@transactional
def _store(column: Column[Any], changes: list[tuple[Any, Any, Any]]) -> None:
    key, raw = _only_key(column.table), _raw(column)
    for id_, before, after in changes:
        unchanged = update(column.table).where(key == id_, raw == before)
        db.session.execute(unchanged.values({column.name: literal(after, raw.type)}))


def _rehash(model: type[Base], change: bool) -> Iterator[int]:
    """How many rows of each step had other hashes than they should; these are stored where that is asked for."""
    compute, wanted_rows = _rehashed[model]
    key = _only_key(model.__table__)
    last: Any = None

    def step() -> int:
        nonlocal last
        query = wanted_rows.order_by(key).limit(AT_ONCE).execution_options(populate_existing=True)
        query = query if last is None else query.where(key > last)
        rows = db.session.scalars(query.with_for_update(of=model) if change else query).all()
        last = getattr(rows[-1], str(key.key)) if rows else None
        outdated = 0
        for row in rows:
            wanted = compute(row)
            if any(getattr(row, name) != value for name, value in wanted.items()):
                outdated += 1
                for name, value in wanted.items() if change else ():
                    setattr(row, name, value)
                db.session.flush()
        return outdated

    while True:
        yield transactional(step)() if change else step()
        db.session.expunge_all()
        if last is None:
            return
