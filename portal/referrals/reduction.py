"""Journeys without a booking become daily counts after 90 days: how many, and nothing that leads back to anybody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, exists, select

from portal.core import retention
from portal.core.db import Base, db
from portal.referrals.days import today
from portal.referrals.models import Journey, Milestone
from portal.referrals.services import Reached, add_counts

KEEP_UNBOOKED_FOR = timedelta(days=90)  # told on the privacy page
ALIKE = (
    Journey.day,
    Journey.link_code,
    Journey.last_link_code,
    Journey.article,
    Journey.source,
    Journey.reached,
    Journey.lane,
)


def _find(_before: datetime) -> Select[UUID]:
    return select(Journey.id).where(
        Journey.day < today() - KEEP_UNBOOKED_FOR,  # by the clinic's clocks
        Journey.reached.bitwise_and(Reached.BOOKED.bit) == 0,
        *(~needed for needed in _needed_elsewhere()),
    )


def _reduce(ids: Sequence[UUID]) -> None:
    rows = db.session.execute(select(Journey.id, *ALIKE).where(Journey.id.in_(ids))).all()
    names = [column.key for column in ALIKE]
    for alike, count in Counter(tuple(row)[1:] for row in rows).items():
        known = {name: value for name, value in zip(names, alike, strict=True) if value is not None}
        add_counts(count, what="journey", **known)
    db.session.execute(delete(Milestone).where(Milestone.journey_id.in_(ids)))
    db.session.execute(delete(Journey).where(Journey.id.in_(ids)).execution_options(synchronize_session=False))


def _needed_elsewhere() -> Iterator[ColumnElement[bool]]:
    """That a row of another table stands on the journey, such as a visit, and would not go with it."""
    for table in Base.metadata.sorted_tables:
        for key in table.foreign_keys:
            if key.column is Journey.__table__.c.id and key.ondelete is None and table is not Milestone.__table__:
                yield exists().where(key.parent == Journey.id)


RULE = retention.Rule(
    kind="journeys",
    what="How far you came in the portal, where no booking followed: then only how many, by the day",
    since="the day you came",
    why="The clinic wants to know which words bring people who come, not who they are.",
    keep=KEEP_UNBOOKED_FOR,
    find=_find,
    remove=_reduce,
)
