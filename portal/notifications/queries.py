"""What the command line and the desk ask of the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import db
from portal.notifications.models import DUE_STATES, OutgoingMail


def list_mail(limit: int = 50) -> Sequence[OutgoingMail]:
    """The newest mails, sent or not."""
    return db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id.desc()).limit(limit)).all()


def list_mail_about(about_id: UUID) -> Sequence[OutgoingMail]:
    """All mails about one thing, such as an appointment, oldest first."""
    return db.session.scalars(
        select(OutgoingMail).where(OutgoingMail.about_id == about_id).order_by(OutgoingMail.id)
    ).all()


def oldest_waiting() -> datetime | None:
    """Since when the oldest mail that is due has been waiting; None when nothing waits."""
    return db.session.scalar(
        select(func.min(OutgoingMail.queued_at)).where(
            OutgoingMail.state.in_(DUE_STATES), OutgoingMail.not_before <= clock.now()
        )
    )
