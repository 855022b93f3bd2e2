"""Tables of referral links and journeys. No address, no browser, no name is in them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core.db import Base, UtcDateTime


class ReferralLink(Base):
    """A short address that is printed or sent, and the page of ours that it leads to."""

    __tablename__ = "referral_link"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    destination: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)


class Journey(Base):
    """One person's way through the portal, known only by a random number."""

    __tablename__ = "journey"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    link_code: Mapped[str | None] = mapped_column(ForeignKey("referral_link.code"))
    article: Mapped[str | None] = mapped_column(String(80))


class Milestone(Base):
    """The first time that a journey reached a point; each point at most once."""

    __tablename__ = "milestone"
    __table_args__ = (UniqueConstraint("journey_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    kind: Mapped[str] = mapped_column(String(30))
    lane: Mapped[str | None] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
