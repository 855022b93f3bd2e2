"""Tables of patients, their appointments and what the desk notes of them, requests, and the earlier-slot list."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship, validates

from portal.booking.contact_hashes import hash_contact
from portal.core import clock
from portal.core.columns import EncryptedJSON, EncryptedJSONText, EncryptedText, JSONText, UtcDateTime
from portal.core.db import Base
from portal.core.text import search_key

if TYPE_CHECKING:
    from portal.assessment.models import Assessment
    from portal.scheduling.models import Slot, VisitType

LONGEST_KEY = 240  # letters; one of a name, written out, can be eighteen


class Patient(Base):
    """A person who has booked, or for whom the desk has; one who was merged into another is kept for its history."""

    __tablename__ = "patient"
    __table_args__ = (Index("ix_patient_date_of_birth_name", "date_of_birth", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(120))
    date_of_birth: Mapped[date]
    email: Mapped[str | None] = mapped_column(EncryptedText(254))  # callers need none
    phone: Mapped[str] = mapped_column(EncryptedText(20))
    reach_by: Mapped[str] = mapped_column(String(10))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    name_key: Mapped[str] = mapped_column(String(LONGEST_KEY))  # the name as it is searched for
    merged_into_id: Mapped[UUID | None] = mapped_column(ForeignKey("patient.id"))
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nothing of the person is left but the row
    email_hash: Mapped[str | None] = mapped_column(String(64), index=True)  # see `contact_hashes`
    mailbox_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    phone_end_hash: Mapped[str | None] = mapped_column(String(64), index=True)

    @validates("name")
    def _derive_key(self, _attribute: str, name: str) -> str:
        self.name_key = search_key(name)[:LONGEST_KEY]
        return name

    @validates("email", "phone")
    def _derive_hashes(self, attribute: str, value: str | None) -> str | None:
        for name, hashed in hash_contact(**{attribute: value}).items():
            setattr(self, name, hashed)
        return value


class Status(StrEnum):
    """FHIR R4 AppointmentStatus, as far as the clinic uses it."""

    BOOKED = "booked"
    ARRIVED = "arrived"
    CHECKED_IN = "checked-in"  # in the room
    FULFILLED = "fulfilled"
    CANCELLED = "cancelled"
    NOSHOW = "noshow"
    ENTERED_IN_ERROR = "entered-in-error"
    WAITLIST = "waitlist"


TAKE_THE_SLOT = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED, Status.NOSHOW)
OUR_REASONS = frozenset({"clinician", "clinic"})  # for which the desk cancels, and the patient did not want it
TAKES_THE_SLOT = text(f"status IN ({', '.join(repr(status.value) for status in TAKE_THE_SLOT)})")


class Appointment(Base):
    """One visit. It keeps its row and calendar identity when it moves; it is cancelled, never deleted."""

    __tablename__ = "appointment"
    __table_args__ = (
        Index(
            "uq_appointment_active_slot",
            "slot_id",
            unique=True,
            postgresql_where=TAKES_THE_SLOT,
            sqlite_where=TAKES_THE_SLOT,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    reference: Mapped[str] = mapped_column(String(16), unique=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"), index=True)
    visit_type_id: Mapped[int] = mapped_column(ForeignKey("visit_type.id"))
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    assessment_id: Mapped[UUID | None] = mapped_column(ForeignKey("assessment.id"))
    journey_id: Mapped[UUID | None] = mapped_column(ForeignKey("journey.id"), index=True)
    one_of_kind: Mapped[str | None] = mapped_column(String(64), unique=True)  # see `services.one_of_kind_key`
    patient_zone: Mapped[str | None] = mapped_column(String(40))  # of the patient's own clocks, where known
    status: Mapped[str] = mapped_column(String(16), default=Status.BOOKED)
    lane: Mapped[str | None] = mapped_column(String(12))
    prompt: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(EncryptedJSON)
    brief_tries: Mapped[int] = mapped_column(default=0)  # wrong dates of birth since the right one
    cancel_reason: Mapped[str | None] = mapped_column(String(40))
    ics_uid: Mapped[str] = mapped_column(String(120), unique=True)
    ics_sequence: Mapped[int] = mapped_column(default=0)
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(EncryptedJSON)  # to write the link into each mail
    link_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the desk, or long after the visit
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)  # rises with each change, so that nobody overwrites another's
    arrived_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    roomed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    patient: Mapped[Patient] = relationship()
    slot: Mapped[Slot] = relationship("Slot")
    visit_type: Mapped[VisitType] = relationship("VisitType")
    assessment: Mapped[Assessment | None] = relationship("Assessment")

    @property
    def takes_slot(self) -> bool:
        """Whether nobody else can have the visit's time."""
        return self.status in TAKE_THE_SLOT

    @property
    def stands(self) -> bool:
        """Whether the visit is booked and still to come."""
        return self.status == Status.BOOKED and self.slot.starts_at > clock.now()

    @property
    def is_over(self) -> bool:
        """Whether the visit has taken place, or nobody came to it."""
        ended = self.status in {Status.FULFILLED, Status.NOSHOW} or self.slot.ends_at <= clock.now()
        return self.takes_slot and ended

    @property
    def cancelled_by_us(self) -> bool:
        """Whether the clinic had to cancel the visit: then its time is not there to be taken again."""
        return self.status == Status.CANCELLED and self.cancel_reason in OUR_REASONS


class VisitChange(Base):
    """What somebody did to a visit, with how it was before, so that staff can undo what staff did."""

    __tablename__ = "visit_change"
    __table_args__ = (Index("ix_visit_change_staff_id_done_at", "staff_id", "done_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), index=True)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))  # None for the patient
    kind: Mapped[str] = mapped_column(String(16))
    before: Mapped[dict[str, str | int | None]] = mapped_column(JSONText)
    version: Mapped[int]  # of the visit after the change: another change since ends the undo
    done_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    appointment: Mapped[Appointment] = relationship()


class VisitNote(Base):
    """What staff should know about a visit; nothing clinical."""

    __tablename__ = "visit_note"

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), index=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    words: Mapped[str] = mapped_column(EncryptedJSON)
    written_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PatientMerge(Base):
    """Two records found to be one person: whose visits went where, so that it can be undone."""

    __tablename__ = "patient_merge"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kept_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    merged_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    appointment_ids: Mapped[list[str]] = mapped_column(JSONText)
    contact_before: Mapped[dict[str, str]] = mapped_column(EncryptedJSON)  # of the record that was kept
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class LegalHold(Base):
    """While it stands, nothing of a patient is purged or erased."""

    __tablename__ = "legal_hold"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    patient_id: Mapped[UUID] = mapped_column(ForeignKey("patient.id"), index=True)
    reason: Mapped[str] = mapped_column(EncryptedJSON)
    set_by: Mapped[int] = mapped_column(ForeignKey("staff_user.id"))
    set_at: Mapped[datetime] = mapped_column(UtcDateTime)
    lift_reason: Mapped[str | None] = mapped_column(EncryptedJSON)
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("staff_user.id"))
    lifted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class BookingDraft(Base):
    """A booking that a journey has begun: the time chosen, and what was typed so far."""

    __tablename__ = "booking_draft"

    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id", ondelete="CASCADE"), primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    idempotency_key: Mapped[str] = mapped_column(String(64))
    details: Mapped[dict[str, str]] = mapped_column(EncryptedJSON)
    complete: Mapped[bool] = mapped_column(default=False)  # the details, so that the visit can be booked
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)


class RequestKind(StrEnum):
    """What somebody asks of the desk."""

    CALL_BACK = "call-back"
    TIME = "time"  # none of the free times fits
    REFERRAL = "referral"  # a practice refers a patient, who is to be called


class PatientRequest(Base):
    """Somebody's wish to be called, or for a time that is not on offer; open until the desk notes how it went."""

    __tablename__ = "patient_request"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    kind: Mapped[str] = mapped_column(String(12))
    journey_id: Mapped[UUID | None] = mapped_column(ForeignKey("journey.id", ondelete="SET NULL"))
    name: Mapped[str] = mapped_column(EncryptedText(120))
    phone: Mapped[str] = mapped_column(EncryptedText(20))
    email: Mapped[str | None] = mapped_column(EncryptedText(254))
    email_hash: Mapped[str | None] = mapped_column(String(64))  # to find the requests of a patient
    phone_hash: Mapped[str | None] = mapped_column(String(64))
    wishes: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJSONText)
    lane: Mapped[str | None] = mapped_column(String(12))
    prompt: Mapped[bool] = mapped_column(default=False)
    note: Mapped[str | None] = mapped_column(EncryptedJSON)
    referred: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)  # by whom, why, and whom to thank
    idempotency_key: Mapped[str] = mapped_column(String(64), unique=True)
    asked_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    tries: Mapped[int] = mapped_column(default=0)  # calls that nobody answered
    tried_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(12))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)


class WaitlistEntry(Base):
    """Somebody with a visit who would come earlier; open until `closed_at`."""

    __tablename__ = "waitlist_entry"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    appointment_id: Mapped[UUID] = mapped_column(ForeignKey("appointment.id"), unique=True)
    wishes: Mapped[dict[str, list[str]]] = mapped_column(EncryptedJSONText)
    joined_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime, index=True)

    appointment: Mapped[Appointment] = relationship()


class OfferState(StrEnum):
    """How an earlier time that was offered fares."""

    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


ONLY_OPEN = text("state = 'open'")


class Offer(Base):
    """An earlier time, offered to one person and held for that person until `answer_by`."""

    __tablename__ = "offer"
    __table_args__ = (
        UniqueConstraint("entry_id", "slot_id"),
        Index("uq_offer_open_entry", "entry_id", unique=True, sqlite_where=ONLY_OPEN, postgresql_where=ONLY_OPEN),
        Index("ix_offer_state_answer_by", "state", "answer_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("waitlist_entry.id"))
    slot_id: Mapped[int] = mapped_column(ForeignKey("slot.id"))
    state: Mapped[str] = mapped_column(String(8), default=OfferState.OPEN)
    offered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answer_by: Mapped[datetime] = mapped_column(UtcDateTime)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    token: Mapped[str] = mapped_column(EncryptedJSON)  # to write the link into the mail

    entry: Mapped[WaitlistEntry] = relationship()
    slot: Mapped[Slot] = relationship("Slot")


class CalendarFeed(Base):
    """A clinician's visits as a calendar that other programs subscribe to, until its address is revoked."""

    __tablename__ = "calendar_feed"

    provider_id: Mapped[int] = mapped_column(ForeignKey("provider.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
