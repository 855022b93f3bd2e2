"""How often something may be done: counted in the database, so that all processes share it and a restart keeps it.

A count is of one key in one window, which begins with the first hit. What is stored of a key is a keyed hash: no
address and no mailbox can be read from the table. Nobody is let through because the database is away: then the
error goes up, and the request is answered 503 like any other that needs it. What may be done how often stands in
`portal/core/allowed.py`.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import IPv6Address, ip_address
from secrets import randbelow
from typing import Any

from flask import current_app, has_request_context, request
from sqlalchemy import (
    BindParameter,
    Connection,
    Integer,
    String,
    bindparam,
    case,
    delete,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.config import current_settings
from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import Base, db, insert_into, reading_connection

GMAIL = {"gmail.com", "googlemail.com"}
NETWORK_BITS = 64  # of an IPv6 address: what one household or one phone has for itself


class HitCount(Base):
    """How often one key was hit in the window that ends at `ends_at`; after it the row means nothing."""

    __tablename__ = "hit_count"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


FOUND = select(HitCount.key, HitCount.count, HitCount.ends_at).where(
    HitCount.key.in_(bindparam("keys", expanding=True)), HitCount.ends_at > bindparam("now", type_=UtcDateTime)
)


@dataclass(frozen=True)
class Limit:
    """At most so many hits of one key in so long a time. The name is what tells its counts from other limits'.

    `words` say to a person what there was too much of. Where the count is high, one hit in `step`, drawn at random, is
    counted as that many: it need not be exact, and each that is counted waits for all others who write.
    """

    name: str
    count: int
    window: timedelta
    words: str = "There were many tries from your connection in a short time."
    guess: bool = False  # of a secret: the same everywhere
    step: int = 1

    @property
    def most(self) -> int:
        """How many hits the running portal allows."""
        return self.count if self.guess else times(self.count)

    def is_drawn(self) -> bool:
        """Whether a hit is the one that is counted for its step."""
        return self.step == 1 or randbelow(self.step) == 0


@dataclass(frozen=True)
class Verdict:
    """Whether something may be done now, and if not, in how many seconds it may be tried again."""

    allowed: bool
    retry_after: int = 0
    limit: Limit | None = None


class TooMany(Exception):
    """Something was done as often as it may be: the verdict says until when."""

    @property
    def verdict(self) -> Verdict:
        """How long to wait, and which limit says so."""
        found: Verdict = self.args[0]
        return found


Hit = tuple[Limit, str | None]
ALLOWED = Verdict(True)
EVERYBODY = "everybody"


def times(count: int) -> int:
    """A number of this kind in the running portal: a load test, in which one address stands for a town, has more."""
    return count * current_settings().leeway


def count_hit(limit: Limit, key: str | None) -> Verdict:
    """Count one hit of a key, unless its window is full: then nothing is counted, and it is not allowed."""
    return count_hits((limit, key))


def count_hits(*hits: Hit) -> Verdict:
    """Count a hit of each, all of them or none: the first that is full decides.

    A transaction of its own, so that the hit stays counted whatever becomes of the request. Raises RuntimeError
    inside another transaction, which would wait for itself. A power cut may take back the hits of its last moments:
    nobody waits for the disk to count.
    """
    verdict, drawn = peek(*hits), [hit for hit in hits if hit[0].is_drawn()]
    if not verdict.allowed or not drawn:
        return verdict  # a flood that is refused anyway takes no lock
    with _transaction() as connection:
        if (full := _count(connection, drawn)) is not None:
            verdict = _verdict(connection, [full])
            connection.rollback()
    return verdict


def peek(*hits: Hit) -> Verdict:
    """What `count_hits` would say now; nothing is counted or written."""
    with reading_connection() as connection:
        return _verdict(connection, hits)


def used(*hits: Hit) -> list[int]:
    """How many hits of each count now."""
    with reading_connection() as connection:
        found = _find(connection, hits)
    return [found[_stored(*hit)][0] if _stored(*hit) in found else 0 for hit in hits]


def spend(*hits: Hit) -> None:
    """Count a hit of each within the running transaction: what is undone with it was never counted.

    For what is done, where `count_hits` is for what is tried. To be called last, as other requests with the same
    keys wait for the transaction's end. A hit without a key, such as the source of a command, is not counted.
    Raises TooMany when one is full; what it counted of others is to be undone with the transaction.
    """
    if not db.session.info.get("in_transaction"):
        raise RuntimeError("only what a transaction does can be spent")
    connection = db.session.connection()
    if (full := _count(connection, [hit for hit in hits if hit[1] is not None and hit[0].is_drawn()])) is not None:
        raise TooMany(_verdict(connection, [full]))


def current_source() -> str | None:
    """Where the present request comes from, by `source_key`; None outside of one, and for staff at the desk."""
    if not has_request_context() or request.path.startswith("/desk"):
        return None
    return source_key(request.remote_addr)


def mailbox_key(email: str) -> str:
    """What counts as one mailbox: capitals, what follows a `+`, and Gmail's dots make no other one of it."""
    name, _, domain = email.casefold().rpartition("@")
    name = name.partition("+")[0]
    return f"{name.replace('.', '') if domain in GMAIL else name}@{domain}"


def take_back(limit: Limit, key: str | None) -> None:
    """Uncount one hit that has turned out to be right, such as a password.

    Only that one: whoever mixes good tries with bad ones gains nothing by them.
    """
    with _transaction() as connection:
        connection.execute(
            update(HitCount)
            .where(HitCount.key == _stored(limit, key), HitCount.count > 0, HitCount.ends_at > clock.now())
            .values(count=HitCount.count - 1)
        )


def sweep() -> int:
    """Delete the windows that are over; says how many."""
    with _transaction() as connection:
        return connection.execute(delete(HitCount).where(HitCount.ends_at <= clock.now())).rowcount


def source_key(address: str | None) -> str:
    """What counts as one source: an IPv4 address, or the network of an IPv6 one; all that is neither is one, too."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return f"{int(parsed) >> (128 - NETWORK_BITS):x}"
    return str(parsed)


@contextmanager
def _transaction() -> Iterator[Connection]:
    if db.session.info.get("in_transaction"):
        raise RuntimeError("a hit is counted before a transaction, never inside one")
    with db.engine.connect().execution_options(writes=True, lasting=False) as connection:
        yield connection
        connection.commit()


def _count(connection: Connection, hits: Sequence[Hit]) -> Hit | None:
    """Count a hit of each; one that is full already, where there is one: then the others are to be undone."""
    # In one order everywhere, so that two requests with the same keys never wait for each other.
    stored, now = sorted({_stored(*hit): hit for hit in hits}.items()), clock.now()
    values: dict[str, Any] = {"now": now}
    for place, (key, (limit, _)) in enumerate(stored):
        values |= {f"key{place}": key, f"ends{place}": now + limit.window, f"most{place}": limit.most}
        values[f"step{place}"] = limit.step
    statement = _counting(connection.dialect.name, len(stored))
    counted = set(connection.scalars(statement, values)) if stored else set()
    return next((hit for key, hit in stored if key not in counted), None)


@cache
def _counting(_dialect: str, hits: int) -> Any:
    """The statement that counts so many hits, but for those that are full, and returns the keys that it has counted."""
    now: BindParameter[datetime] = bindparam("now", type_=UtcDateTime)
    keys = [bindparam(f"key{place}", type_=String) for place in range(hits)]
    ends = [bindparam(f"ends{place}", type_=UtcDateTime) for place in range(hits)]
    steps = [bindparam(f"step{place}", type_=Integer) for place in range(hits)]
    # Rows by SELECT, as SQLAlchemy writes out many VALUES anew each time; SQLite reads ON only after a WHERE.
    rows = union_all(*(select(*row).where(true()) for row in zip(keys, steps, ends, strict=True)))
    statement = insert_into(HitCount).from_select(["key", "count", "ends_at"], rows)
    over = HitCount.ends_at <= now
    most = case(*((statement.excluded.key == key, bindparam(f"most{n}", type_=Integer)) for n, key in enumerate(keys)))
    return statement.on_conflict_do_update(
        index_elements=[HitCount.key],
        set_={
            "count": case((over, 0), else_=HitCount.count) + statement.excluded.count,
            "ends_at": case((over, statement.excluded.ends_at), else_=HitCount.ends_at),
        },
        where=or_(over, HitCount.count < most),
    ).returning(HitCount.key)


def _verdict(connection: Connection, hits: Sequence[Hit]) -> Verdict:
    """Whether none of these is full, and if one is, when the last of them begins anew."""
    now, found = clock.now(), _find(connection, hits)
    refused = []
    for hit in hits:
        count, ends_at = found.get(_stored(*hit), (0, now))
        if count >= hit[0].most:
            refused.append(Verdict(False, math.ceil((ends_at - now).total_seconds()), hit[0]))
    return max(refused, key=lambda verdict: verdict.retry_after, default=ALLOWED)


def _find(connection: Connection, hits: Sequence[Hit]) -> dict[str, tuple[int, datetime]]:
    """The count of each hit, by what is stored of its key, and when its window ends; without those that are over."""
    rows = connection.execute(FOUND, {"keys": [_stored(*hit) for hit in hits], "now": clock.now()})
    return {key: (count, ends_at) for key, count, ends_at in rows}


def _stored(limit: Limit, key: str | None) -> str:
    secret = str(current_app.secret_key).encode()
    return hmac.new(secret, f"{limit.name}|{key}".encode(), hashlib.sha256).hexdigest()
