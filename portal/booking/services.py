"""Hold and book: each in one transaction that claims the slot by a conditional UPDATE."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from uuid import UUID, uuid4

from dateutil.relativedelta import relativedelta
from sqlalchemy import bindparam, delete, update
from sqlalchemy.exc import IntegrityError

from portal import audit
from portal.assessment.questionnaire import AGES
from portal.assessment.rules import Lane
from portal.assessment.services import Standing, keep_for_visit, standing_of
from portal.booking import queries
from portal.booking.announce import announce
from portal.booking.models import Appointment, BookingDraft, Patient, Status
from portal.config import current_settings
from portal.core import allowed, clock
from portal.core.crypto import DIGITS, find_hashes, keyed_hash, new_code, new_token, token_hash
from portal.core.db import db, insert_once, run, seeing_others, store, transactional, transactional_for_now
from portal.core.limits import EVERYBODY, TooMany, current_source, mailbox_key, spend
from portal.core.text import search_key
from portal.notifications.services import queue_mail
from portal.referrals.services import Reached, reach
from portal.scheduling.hoarding import find_claimable, may_hold
from portal.scheduling.models import Slot
from portal.scheduling.queries import find_visit_type
from portal.scheduling.services import SlotTaken, claim_slot, hold_slot, is_day_full, release_holds
from portal.scheduling.set_up import get_set_up

MOST_TRIES = 10
END_DRAFT = delete(BookingDraft).where(BookingDraft.journey_id == bindparam("journey_id"))
LANE_OF_RETURNING = "consult"  # of visits that the desk has made, without an assessment


class SafetyUnknown(Exception):
    """Nothing is known about the warning signs of now: the first safety screen comes before any booking."""


class MayNotBook(Exception):
    """This person's lane is not offered online times."""


class AboutSomebodyElse(Exception):
    """What was answered tells another age than that of who comes, or stands with the visit of another person."""


class TooManyTries(Exception):
    """A visit's date of birth has been guessed wrong too often: only the desk opens it now."""


class AlreadyBooked(Exception):
    """This person has a visit of this kind to come; a second one is for the desk to make."""

    @property
    def appointment(self) -> Appointment | None:
        """The visit that stands, where it is known."""
        return self.args[0] if self.args else None


@dataclass(frozen=True)
class Details:
    """Who comes, and how to reach them."""

    name: str
    date_of_birth: date
    email: str | None
    phone: str
    reach_by: str
    note: str

    def to_json(self) -> dict[str, str]:
        return {**self.__dict__, "date_of_birth": self.date_of_birth.isoformat()}

    @classmethod
    def from_json(cls, values: dict[str, str]) -> Details:
        return cls(**{**values, "date_of_birth": date.fromisoformat(values["date_of_birth"])})  # type: ignore[arg-type]

    @property
    def under_18(self) -> bool:
        return _age(self) in AGES["under_18"]


def require_standing(journey_id: UUID | None, of_now: bool = True) -> Standing:
    """The standing of a journey that may book; with what is known of the signs of now, unless that does not matter.

    Raises SafetyUnknown or MayNotBook.
    """
    standing = standing_of(journey_id)
    if standing is None or (of_now and not standing.knows_signs):
        raise SafetyUnknown
    if not standing.lane.may_book:
        raise MayNotBook(standing.lane)
    return standing


@transactional_for_now
def choose_slot(slot_id: int, journey_id: UUID) -> None:
    """Hold a slot for this journey and begin a booking of it, keeping what was typed before.

    The key is that of a slot with its details: a last button that says anything else books nothing any more.

    While too much is held it is not held, and claimed when it is booked. Raises SlotTaken, SafetyUnknown or MayNotBook.
    """
    standing, draft = require_standing(journey_id), queries.get_draft(journey_id)
    _hold_or_look(slot_id, journey_id, typed=draft is not None and draft.complete, lane=standing.lane)
    draft = draft or _begin_draft(slot_id, journey_id)
    if draft is not None:
        if draft.slot_id != slot_id:
            draft.idempotency_key = new_token()
        draft.slot_id, draft.changed_at = slot_id, clock.now()
    reach(journey_id, Reached.SLOT_HELD)


def _begin_draft(slot_id: int, journey_id: UUID) -> BookingDraft | None:
    """Begin a booking of a slot; returns the one that another press of the button has just begun, where one has."""
    key, now = new_token(), clock.now()
    new = {"journey_id": journey_id, "slot_id": slot_id, "details": {}, "idempotency_key": key, "changed_at": now}
    return None if insert_once(BookingDraft, **new) else queries.get_draft(journey_id)


@transactional_for_now
def renew_hold(slot_id: int, journey_id: UUID) -> None:
    """Another ten minutes for a slot; while too much is held, only see that it is free. Raises SlotTaken."""
    draft = queries.get_draft(journey_id)
    _hold_or_look(slot_id, journey_id, typed=draft is not None and draft.complete)


@transactional_for_now
def keep_details(journey_id: UUID | None, typed: dict[str, str], complete: bool) -> BookingDraft | None:
    """Keep what was typed with the booking that the journey has begun, also while something in it is wrong."""
    draft = queries.get_draft(journey_id)
    if draft is not None:
        if draft.details != typed:
            draft.idempotency_key = new_token()
        draft.details, draft.complete, draft.changed_at = typed, complete, clock.now()
    return draft


@transactional_for_now
def save_details(journey_id: UUID, typed: dict[str, str], complete: bool) -> bool:
    """Keep what was typed, and hold the slot longer as `renew_hold` does; whether the slot is still to be had."""
    draft = keep_details(journey_id, typed, complete)
    if draft is None:
        return False
    try:
        _hold_or_look(draft.slot_id, journey_id, typed=complete)
    except SlotTaken:
        return False
    return True


def _hold_or_look(slot_id: int, journey_id: UUID, typed: bool, lane: Lane | None = None) -> None:
    """Hold a slot for this journey, or hold it longer; while too much is held, only see that it is free.

    Raises SlotTaken when it is not, or is not for that lane.
    """
    slot = find_claimable(slot_id, journey_id)
    if slot is None or lane not in {None, *find_visit_type(slot.visit_type_id).lanes}:
        raise SlotTaken(slot_id)
    if slot.is_held or (may_hold(slot, journey_id, typed) and _count_hold()):
        hold_slot(slot_id, journey_id)
    elif is_day_full(slot_id, journey_id):
        raise SlotTaken(slot_id)
    else:
        release_holds(journey_id)


def _count_hold() -> bool:
    """Count a time held by the present source; False for one too many."""
    try:
        spend((allowed.HOLDS_OF_SOURCE, current_source()))
    except TooMany:
        return False
    return True


def book(
    journey_id: UUID, slot_id: int, details: Details, idempotency_key: str, zone: str | None = None
) -> Appointment:
    """Book the slot; the same key a second time gets the first one's appointment. `zone` is the patient's own.

    Raises SlotTaken, AlreadyBooked, AboutSomebodyElse, SafetyUnknown, MayNotBook or TooMany; then nothing was changed.
    """
    try:
        return _book(journey_id, slot_id, details, idempotency_key, zone)
    except (SlotTaken, AlreadyBooked, IntegrityError) as error:
        # The same key a second time finds its own slot taken, or the key itself.
        db.session.rollback()
        if (existing := find_own_booking(idempotency_key, journey_id)) is not None:
            return existing
        if isinstance(error, AlreadyBooked):
            raise
        raise SlotTaken(slot_id) from error


def send_link_again(appointment: Appointment) -> None:
    """Mail the visit's link once more, at most once an hour and as often as its mailbox may get mail from forms."""
    with suppress(TooMany):
        _send_link_again(appointment)


@transactional
def _send_link_again(appointment: Appointment) -> None:
    newly = queue_mail("link", appointment.id, int(clock.now().timestamp() // 3600))
    if newly and appointment.patient.email:
        spend((allowed.MAILS_TO_MAILBOX, mailbox_key(appointment.patient.email)))


@seeing_others
@transactional
def _book(journey_id: UUID, slot_id: int, details: Details, idempotency_key: str, zone: str | None) -> Appointment:
    standing = require_standing(journey_id)
    slot = claim_slot(slot_id, journey_id)
    _check_offered(slot, standing)
    require_only_one(details, slot.visit_type.kind)
    patient = find_or_build_patient(details)
    if not can_be_of(standing, patient):
        raise AboutSomebodyElse
    appointment = build_appointment(slot, patient, idempotency_key)
    appointment.one_of_kind = one_of_kind_key(details, slot.visit_type.kind)
    appointment.patient_zone = zone
    appointment.journey_id, appointment.assessment_id = journey_id, standing.assessment_id
    appointment.lane, appointment.prompt = standing.lane, standing.prompt
    appointment.note = details.note or None
    keep_for_visit(standing.assessment_id)
    store(patient)
    store(appointment)
    run(END_DRAFT, journey_id=journey_id)
    reach(journey_id, Reached.BOOKED)
    announce(appointment, "booked")
    audit.services.record("booked", f"appointment:{appointment.id}", slot=slot.id)
    _spend_booking(details)
    return appointment


def can_be_of(standing: Standing, patient: Patient) -> bool:
    """Whether what was answered can be that patient's: a browser can be a family's."""
    if standing.ages is not None and _age(patient) not in standing.ages:
        return False
    if not standing.kept:
        return True
    people = {tuple(person) for person in run(queries.WHOSE_ANSWERS, id=standing.assessment_id)}
    return people <= {(patient.name_key, patient.date_of_birth)}


def _age(person: Details | Patient) -> int:
    """In years, today."""
    return relativedelta(clock.now().date(), person.date_of_birth).years


def _spend_booking(details: Details) -> None:
    """Count a visit that was booked online. Raises TooMany."""
    mailbox = mailbox_key(details.email) if details.email else None
    spend(
        (allowed.BOOKINGS_OF_MAILBOX, mailbox),
        (allowed.MAILS_TO_MAILBOX, mailbox),
        (allowed.BOOKINGS_OF_PHONE, details.phone),
        (allowed.BOOKINGS_OF_SOURCE, current_source()),
        (allowed.ALL_BOOKINGS, EVERYBODY),
    )


@transactional
def check_birth_date(appointment_id: UUID, given: date) -> bool:
    """Whether that is the date of birth of a visit's patient. Raises TooManyTries after ten wrong ones."""
    appointment = queries.get_for_change(appointment_id)
    if appointment.brief_tries >= MOST_TRIES:
        raise TooManyTries(appointment_id)
    known = appointment.patient.date_of_birth == given
    appointment.brief_tries = 0 if known else appointment.brief_tries + 1
    audit.services.record("brief-opened" if known else "brief-refused", f"appointment:{appointment_id}")
    return known


def one_of_kind_key(person: Details | Patient, kind: str) -> str:
    """What is the same for two visits of one kind by one person: a person has one active one at a time.

    A person is told by name, date of birth and e-mail address together, so that nobody learns of another's visit;
    by the phone number where there is no address.
    """
    return keyed_hash("one of kind", _in_one_line(person, kind, search_key(person.name)))


def find_one_of_kind_keys(person: Details | Patient, kind: str) -> list[str]:
    """As `one_of_kind_key`, as rows may have it that are not under the newest key, from when accents and the kind of
    apostrophe still counted, or from before there were keys."""
    now, before = (_in_one_line(person, kind, name) for name in (search_key(person.name), person.name.casefold()))
    return [hash_ for words in (now, before) for hash_ in find_hashes("one of kind", words)] + [token_hash(before)]


def _in_one_line(person: Details | Patient, kind: str, name: str) -> str:
    reach = person.email.casefold() if person.email else person.phone
    return f"{''.join(name.split())}|{person.date_of_birth.isoformat()}|{reach}|{kind}"


def require_only_one(person: Details | Patient, kind: str) -> None:
    """Raise AlreadyBooked when a visit of this person and kind is still to come."""
    standing = run(queries.ONE_OF_KIND, keys=find_one_of_kind_keys(person, kind)).all()
    if over := [visit_id for visit_id, ends_at in standing if ends_at <= clock.now()]:
        past = update(Appointment).where(Appointment.id.in_(over)).values(one_of_kind=None)
        db.session.execute(past.execution_options(synchronize_session=False))
    for visit_id, ends_at in standing:
        if ends_at > clock.now():
            raise AlreadyBooked(db.session.get(Appointment, visit_id))


def find_own_booking(idempotency_key: str, journey_id: UUID) -> Appointment | None:
    """The visit that this journey has booked by a form with that key."""
    existing = queries.find_by_idempotency_key(idempotency_key)
    return existing if existing is not None and existing.journey_id == journey_id else None


def _check_offered(slot: Slot | None, standing: Standing) -> None:
    if slot is None or standing.lane not in slot.visit_type.lanes:
        raise SlotTaken(slot)


def build_appointment(slot: Slot, patient: Patient, idempotency_key: str) -> Appointment:
    """A new visit of that patient in that slot, not stored yet."""
    now, token, appointment_id = clock.now(), new_token(), uuid4()
    return Appointment(
        id=appointment_id,
        reference=_unused_reference(),
        slot=slot,
        slot_id=slot.id,
        visit_type=slot.visit_type,
        visit_type_id=slot.visit_type_id,
        patient=patient,
        patient_id=patient.id,
        status=Status.BOOKED,
        ics_uid=f"{appointment_id}@{current_settings().host}",
        ics_sequence=0,
        idempotency_key=idempotency_key,
        token=token,
        token_hash=token_hash(token),
        created_at=now,
        changed_at=now,
    )


def _unused_reference() -> str:
    """A reference like TPM-7K3F-94."""
    while True:
        reference = f"{get_set_up().clinic.code}-{new_code(4)}-{new_code(2, DIGITS)}"
        if run(queries.HAS_REFERENCE, reference=reference).first() is None:
            return reference


def find_or_build_patient(details: Details) -> Patient:
    """The patient with exactly these details, or a new one, not stored yet; who is alike is for the desk to judge."""
    values = {name: value for name, value in details.__dict__.items() if name != "note"}
    for known in db.session.scalars(queries.ALIKE, {"name": details.name, "born": details.date_of_birth}):
        if all(getattr(known, name) == value for name, value in values.items()):
            return known
    return Patient(id=uuid4(), **values, created_at=clock.now())
