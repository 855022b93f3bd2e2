"""How long mails are kept that are over."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Select, select

from portal.core import retention
from portal.notifications.models import UNDER_WAY, WAITING, OutgoingMail


def _find(before: datetime) -> Select[int]:
    over = OutgoingMail.state.not_in((*WAITING, *UNDER_WAY))
    return select(OutgoingMail.id).where(over, OutgoingMail.due_at < before)


RULE = retention.Rule(
    kind="mails",
    what="That a mail was sent, when and to which address; its words are never kept",
    since="the day it was due",
    why="So that the clinic can say who was told what, for every visit that was booked as far ahead as can be.",
    keep=timedelta(days=400),
    find=_find,
    remove=retention.delete_rows(OutgoingMail.id),
)
