"""Tables of the clinic's set-up and of its diary's slots."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    Uuid,
    and_,
    bindparam,
    or_,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.core.columns import JSONText, UtcDateTime
from portal.core.db import Base

# Values, or their names in a query that is built once.
Instant = datetime | BindParameter[datetime]
Holder = UUID | BindParameter[UUID] | None
NOW, SOONEST = bindparam("now", type_=UtcDateTime), bindparam("soonest", type_=UtcDateTime)
HOLDER = bindparam("holder", type_=Uuid)
LEAVING = bindparam("leaving", type_=Integer)  # the slot from which a visit moves


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
    change_cutoff_minutes: Mapped[int] = mapped_column(default=24 * 60)
    horizon_weeks: Mapped[int] = mapped_column(default=12)
    reminder_days: Mapped[list[int]] = mapped_column(JSONText, default=lambda: [3, 1])  # before a visit
    reminder_time: Mapped[time] = mapped_column(default=time(9))
    digest_time: Mapped[time] = mapped_column(default=time(17))
    offer_minutes: Mapped[int] = mapped_column(default=120)
    quiet_from: Mapped[time] = mapped_column(default=time(21))
    quiet_until: Mapped[time] = mapped_column(default=time(8))
    record_years: Mapped[int] = mapped_column(default=10, server_default="10")  # medical records, after the last visit
    sample: Mapped[bool] = mapped_column(default=False)

    @property
    def minimum_notice(self) -> timedelta:
        """How long before a visit it can be booked online at the latest."""
        return timedelta(minutes=self.minimum_notice_minutes)

    @property
    def change_cutoff(self) -> timedelta:
        """How long before a visit it can be moved or cancelled online at the latest."""
        return timedelta(minutes=self.change_cutoff_minutes)


class Location(Base):
    """A place where people are seen, with the zone of its clocks.

    One that is not active any more keeps its visits and is not offered; so it is with clinicians and types of visit.
    """

    __tablename__ = "location"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    address: Mapped[str] = mapped_column(Text)
    directions: Mapped[str] = mapped_column(Text)
    zone_key: Mapped[str] = mapped_column(String(40))
    active: Mapped[bool] = mapped_column(default=True)

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
    email: Mapped[str | None] = mapped_column(String(254))  # for the digest of the next day
    daily_cap: Mapped[int | None]  # visits a day, by the clocks of the place
    active: Mapped[bool] = mapped_column(default=True)


class Mode(StrEnum):
    """How patient and clinician meet."""

    IN_PERSON = "in-person"
    VIDEO = "video"
    PHONE = "phone"


class VisitType(Base):
    """A type of visit: how long, how people meet, and which lanes may book it online.

    Types of one `kind`, such as a consult in person and one by video, can be had in place of each other.
    `switch_to` are the codes of types that a visit may become on a bad day, in its own time.
    """

    __tablename__ = "visit_type"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(40))
    mode: Mapped[str] = mapped_column(String(12))
    minutes: Mapped[int]
    buffer_before: Mapped[int] = mapped_column(default=0)  # minutes that the clinician has before
    buffer_after: Mapped[int] = mapped_column(default=0)  # and after
    switch_to: Mapped[list[str]] = mapped_column(JSONText, default=list)
    lanes: Mapped[list[str]] = mapped_column(JSONText)
    description: Mapped[str] = mapped_column(Text)
    preparation: Mapped[str] = mapped_column(Text)
    active: Mapped[bool] = mapped_column(default=True)


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

    @property
    def in_use(self) -> bool:
        """Whether its clinician, its place and its type of visit are all in use."""
        return self.provider.active and self.location.active and self.visit_type.active


class Closure(Base):
    """A time without visits, in wall time: of one clinician, of one place, or of the whole clinic.

    With a `rule` it comes again, such as lunch: `FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR`, until that day.
    """

    __tablename__ = "closure"

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int | None] = mapped_column(ForeignKey("provider.id"))
    location_id: Mapped[int | None] = mapped_column(ForeignKey("location.id"))
    starts: Mapped[datetime]
    ends: Mapped[datetime]
    rule: Mapped[str | None] = mapped_column(String(200))
    until: Mapped[date | None]
    reason: Mapped[str] = mapped_column(String(120))

    provider: Mapped[Provider | None] = relationship(lazy="joined")
    location: Mapped[Location | None] = relationship(lazy="joined")


class SlotState(StrEnum):
    """What a slot is now. A hold that has run out counts as free without any change to the row."""

    FREE = "free"
    HELD = "held"
    BOOKED = "booked"


IS_HELD = text("state = 'held'")
CAN_BE_OFFERED = text("offered AND state <> 'booked'")


class Slot(Base):
    """A time of one clinician that can be booked by one person.

    `offered` says that the clinic's set-up still offers it; a slot that it does not is kept for its history,
    and for the visit that may be in it. `reserved_from` to `reserved_until` adds the buffers of its type.
    What is reserved for a clinician's slots, offered or taken, never overlaps: the database sees to it.
    `day` and `begins` are what the clocks of the place show; `held_by` is a journey, or an offer of this time.
    """

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="starts_before_it_ends"),
        CheckConstraint("reserved_from <= starts_at AND reserved_until >= ends_at", name="reserved_around_it"),
        CheckConstraint("state IN ('free', 'held', 'booked')", name="known_state"),
        CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name="held_until_when_held"),
        Index(
            "ix_slot_can_be_offered",
            "starts_at",
            "visit_type_id",
            sqlite_where=CAN_BE_OFFERED,
            postgresql_where=CAN_BE_OFFERED,
        ),
        Index("ix_slot_held_until", "held_until", sqlite_where=IS_HELD, postgresql_where=IS_HELD),
        Index("ix_slot_provider_id_reserved_from", "provider_id", "reserved_from"),
        Index("ix_slot_provider_id_day", "provider_id", "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"))
    location_id: Mapped[int] = mapped_column(ForeignKey("location.id"))
    visit_type_id: Mapped[int] = mapped_column(ForeignKey("visit_type.id"))
    starts_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reserved_from: Mapped[datetime] = mapped_column(UtcDateTime)
    reserved_until: Mapped[datetime] = mapped_column(UtcDateTime)
    day: Mapped[date] = mapped_column(index=True)
    begins: Mapped[time]
    offered: Mapped[bool] = mapped_column(default=True)
    state: Mapped[str] = mapped_column(String(8), default=SlotState.FREE)
    held_by: Mapped[UUID | None] = mapped_column(index=True)
    held_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    freed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)  # by a visit that moved or ended

    provider: Mapped[Provider] = relationship()
    location: Mapped[Location] = relationship()
    visit_type: Mapped[VisitType] = relationship()

    @classmethod
    def can_be_claimed(cls, holder: Holder, now: Instant, soonest: Instant) -> ColumnElement[bool]:
        """The condition for a slot to be taken by this holder, if it begins at `soonest` or later.

        It is offered, free or its hold has run out, and it leaves the clinic the notice it needs; or the holder
        has it, or was the last to have it: then the notice was kept when the hold began.
        """
        unclaimed = and_(cls.offered, or_(cls.state == SlotState.FREE, cls.held_until <= now))
        held = and_(cls.state == SlotState.HELD, cls.held_by.is_not(None), cls.held_by == holder)
        own = and_(held, or_(cls.held_until > now, cls.offered))
        return and_(
            cls.state != SlotState.BOOKED,
            or_(and_(unclaimed, cls.starts_at >= soonest), and_(own, cls.starts_at > now)),
        )

    @classmethod
    def is_taken(cls, now: Instant) -> ColumnElement[bool]:
        """The condition for a slot to be booked, or held by somebody."""
        return or_(cls.state == SlotState.BOOKED, cls.held_until > now)
