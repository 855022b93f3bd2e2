"""Tables of the clinic's set-up and of its diary's slots."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, String, Text, and_, or_
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.db import Base, JSONText, UtcDateTime


class Clinic(Base):
    """The one clinic of this installation: what it is called and how it is reached."""

    __tablename__ = "clinic"
    __table_args__ = (CheckConstraint("id = 1", name="one_clinic"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    name: Mapped[str] = mapped_column(String(120))
    short_name: Mapped[str] = mapped_column(String(40))
    code: Mapped[str] = mapped_column(String(6))
    phone: Mapped[str] = mapped_column(String(20))
    phone_hours: Mapped[str] = mapped_column(String(120))
    minimum_notice_minutes: Mapped[int] = mapped_column(default=120)
    horizon_weeks: Mapped[int] = mapped_column(default=12)
    sample: Mapped[bool] = mapped_column(default=False)

    @property
    def minimum_notice(self) -> timedelta:
        return timedelta(minutes=self.minimum_notice_minutes)


class Location(Base):
    """A place where people are seen, with the zone of its clocks."""

    __tablename__ = "location"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(Text)
    directions: Mapped[str] = mapped_column(Text)
    zone_key: Mapped[str] = mapped_column(String(40))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.zone_key)


class Provider(Base):
    """A clinician."""

    __tablename__ = "provider"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    credentials: Mapped[str] = mapped_column(String(120))
    role: Mapped[str] = mapped_column(String(120))
    languages: Mapped[list[str]] = mapped_column(JSONText)
    sees: Mapped[list[str]] = mapped_column(JSONText)
    about: Mapped[str] = mapped_column(Text)


class Mode(StrEnum):
    """How patient and clinician meet."""

    IN_PERSON = "in-person"
    VIDEO = "video"
    PHONE = "phone"


class VisitType(Base):
    """A kind of visit: how long, how people meet, and which lanes may book it online."""

    __tablename__ = "visit_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    mode: Mapped[str] = mapped_column(String(12))
    minutes: Mapped[int]
    lanes: Mapped[list[str]] = mapped_column(JSONText)
    description: Mapped[str] = mapped_column(Text)
    preparation: Mapped[str] = mapped_column(Text)


class Availability(Base):
    """When a clinician offers a kind of visit, in the wall time of a place.

    `rule` is an RFC 5545 recurrence such as `FREQ=WEEKLY;BYDAY=MO,TH`.
    """

    __tablename__ = "availability"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    visit_type_id: Mapped[int] = mapped_column(ForeignKey("visit_type.id"))
    rule: Mapped[str] = mapped_column(String(200))
    opens: Mapped[time]
    closes: Mapped[time]
    valid_from: Mapped[date]
    valid_until: Mapped[date | None]

    provider: Mapped[Provider] = relationship(lazy="joined")
    location: Mapped[Location] = relationship(lazy="joined")
    visit_type: Mapped[VisitType] = relationship(lazy="joined")


class Closure(Base):
    """A time without visits, in wall time: of one clinician, of one place, or of the whole clinic."""

    __tablename__ = "closure"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    starts: Mapped[datetime]
    ends: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(120))


class SlotState(StrEnum):
    """What a slot is now. A hold that has run out counts as free without any change to the row."""

    FREE = "free"
    HELD = "held"
    BOOKED = "booked"
    BLOCKED = "blocked"


class Slot(Base):
    """A time of one clinician that can be booked by one person.

    That a clinician's slots never overlap is kept by the database: see the migrations.
    """

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        CheckConstraint("state IN ('free', 'held', 'booked', 'blocked')", name="known_state"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until_when_held"),
        Index("ix_slot_state_starts_at", "state", "starts_at"),
        Index("ix_slot_provider_id_starts_at", "provider_id", "starts_at", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    visit_type_id: Mapped[int] = mapped_column(ForeignKey("visit_type.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str] = mapped_column(String(8), default=SlotState.FREE)
    held_by: Mapped[UUID | None] = mapped_column(ForeignKey("journey.id"), index=True)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)

    provider: Mapped[Provider] = relationship()
    location: Mapped[Location] = relationship()
    visit_type: Mapped[VisitType] = relationship()

    @classmethod
    def can_be_claimed(cls, journey_id: UUID | None, now: datetime, notice: timedelta) -> ColumnElement[bool]:
        """The condition for a slot to be taken by this journey.

        It is free, or its hold has run out, and it leaves the clinic the notice it needs; or the journey
        holds it, or was the last to hold it: then the notice was kept when the hold began.
        """
        unclaimed = or_(cls.state == SlotState.FREE, and_(cls.state == SlotState.HELD, cls.held_until <= now))
        own = and_(cls.state == SlotState.HELD, cls.held_by == journey_id)
        return or_(and_(unclaimed, cls.starts_at >= now + notice), and_(own, cls.starts_at > now))
