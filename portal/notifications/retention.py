"""How long mails are kept that are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select

from portal.core import retention
from portal.core.db import db
from portal.notifications.models import UNDER_WAY, WAITING, OutgoingMail


def _find(before: datetime) -> Select[int]:
    over = OutgoingMail.state.not_in((*WAITING, *UNDER_WAY))
    return select(OutgoingMail.id).where(over, OutgoingMail.due_at < before)


def _delete(ids: Sequence[int]) -> None:
    db.session.execute(delete(OutgoingMail).where(OutgoingMail.id.in_(ids)))


RULE = retention.Rule(
    kind="mails",
    what="That a mail was sent, when and to which address; its words are never kept",
    since="the day it was due",
    why="So that the clinic can say who was told what, for every visit that was booked as far ahead as can be.",
    keep=timedelta(days=400),
    find=_find,
    remove=_delete,
)
