"""Journeys without a booking become daily counts after 90 days: how many, and nothing that leads back to anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, delete, exists, select

from portal.core.db import Base, db, transactional
from portal.referrals.days import today
from portal.referrals.models import Journey, Milestone
from portal.referrals.services import Reached, add_counts

KEEP_UNBOOKED_FOR = timedelta(days=90)  # told on the privacy page
AT_ONCE = 500
ALIKE = (
    Journey.day,
    Journey.link_code,
    Journey.last_link_code,
    Journey.article,
    Journey.source,
    Journey.reached,
    Journey.lane,
)


def reduce_journeys() -> int:
    """Reduce what is old enough; returns how many. Each journey is counted once, however many workers do it."""
    reduced = 0
    while count := _reduce_some():
        reduced += count
    return reduced


@transactional
def _reduce_some() -> int:
    old = select(Journey.id, *ALIKE).where(
        Journey.day < today() - KEEP_UNBOOKED_FOR,
        Journey.reached.bitwise_and(Reached.BOOKED.bit) == 0,
        *(~needed for needed in _needed_elsewhere()),
    )
    # SQLite has no such lock and needs none: it lets one writer in at a time.
    rows = db.session.execute(old.order_by(Journey.day).limit(AT_ONCE).with_for_update(skip_locked=True)).all()
    ids = [row.id for row in rows]
    names = [column.key for column in ALIKE]
    for alike, count in Counter(tuple(row)[1:] for row in rows).items():
        known = {name: value for name, value in zip(names, alike, strict=True) if value is not None}
        add_counts(count, what="journey", **known)
    db.session.execute(delete(Milestone).where(Milestone.journey_id.in_(ids)))
    db.session.execute(delete(Journey).where(Journey.id.in_(ids)).execution_options(synchronize_session=False))
    return len(ids)


def _needed_elsewhere() -> Iterator[ColumnElement[bool]]:
    """That a row of another table stands on the journey, such as a visit, and would not go with it."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column is Journey.__table__.c.id and key.ondelete is None and table is not Milestone.__table__:
                yield exists().where(key.parent == Journey.id)
