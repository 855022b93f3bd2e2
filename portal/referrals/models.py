"""Tables of referral links, journeys and their counts. No address, no browser, no referrer, no name is in them."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import Base
from portal.referrals.days import today


class LinkState(StrEnum):
    """What becomes of somebody who follows a link."""

    LIVE = "live"
    OFF = "off"  # taken back by staff
    EARLY = "early"
    OVER = "over"
    UNKNOWN = "unknown"  # nobody has made it


class ReferralLink(Base):
    """A short address that is printed or sent, and the page of ours that it leads to."""

    __tablename__ = "referral_link"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    label: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    destination: Mapped[str] = mapped_column(String(200))
    active: Mapped[bool] = mapped_column(default=True)
    starts_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    owner: Mapped[str | None] = mapped_column(String(120))  # who of the staff asked for it, or the practice itself
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=clock.now, index=True)

    @property
    def state(self) -> LinkState:
        """Whether the link leads anywhere now, and why not."""
        if not self.active:
            return LinkState.OFF
        if self.starts_at and clock.now() < self.starts_at:
            return LinkState.EARLY
        return LinkState.OVER if self.ends_at and clock.now() >= self.ends_at else LinkState.LIVE


class Journey(Base):
    """One person's way through the portal, known only by a random number.

    Where it came from is fixed at the first touch; the last touch before the booking stands beside it.
    """

    __tablename__ = "journey"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(default=today, index=True)  # of the start, by the clinic's clocks
    link_code: Mapped[str | None] = mapped_column(ForeignKey("referral_link.code"))
    last_link_code: Mapped[str | None] = mapped_column(ForeignKey("referral_link.code"))
    article: Mapped[str | None] = mapped_column(String(80))
    source: Mapped[str | None] = mapped_column(String(40))  # as SMART Scheduling Links names who sends people
    booking_referral: Mapped[str | None] = mapped_column(String(80))  # likewise, its number for this one booking
    # The milestones, a bit each: see `services.Reached`; and `services.COUNTED_ELSEWHERE`.
    reached: Mapped[int] = mapped_column(default=0)
    lane: Mapped[str | None] = mapped_column(String(20))  # of the assessment that was finished first
    minutes_to_book: Mapped[int | None]  # from the start to the booking


class Milestone(Base):
    """The first time that a journey reached a point; each point at most once."""

    __tablename__ = "milestone"
    __table_args__ = (UniqueConstraint("journey_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    kind: Mapped[str] = mapped_column(String(30))
    lane: Mapped[str | None] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class DailyCount(Base):
    """How many on a day: old journeys that are alike, or landings without one. Nothing leads back to anybody.

    `what` is "journey", "unfollowed" for who asks not to be followed, or the state of a link that leads nowhere.
    An empty text stands for none, so that the database can tell rows apart.
    """

    __tablename__ = "daily_count"

    day: Mapped[date] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(12), primary_key=True)
    link_code: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    last_link_code: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    article: Mapped[str] = mapped_column(String(80), primary_key=True, default="")
    source: Mapped[str] = mapped_column(String(40), primary_key=True, default="")
    reached: Mapped[int] = mapped_column(primary_key=True, default=0, autoincrement=False)
    lane: Mapped[str] = mapped_column(String(20), primary_key=True, default="")
    count: Mapped[int]
