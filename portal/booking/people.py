"""Find the person who is on the phone: by whatever the caller says first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import contains_eager, joinedload

from portal.booking.contact_hashes import find_email, find_mailbox, find_phone_end, read_digits
from portal.booking.models import TAKE_THE_SLOT, Appointment, Patient, PatientMerge
from portal.core import clock
from portal.core.dates import parse_date
from portal.core.db import db
from portal.core.text import search_key
from portal.scheduling.models import Slot
from portal.scheduling.queries import get_clinic

MOST_FOUND = 8
FEWEST_CHARACTERS, FEWEST_DIGITS = 3, 4  # fewer would list everybody, letter by letter
WORD_STARTS = (" ", "-", "'")  # of a name: García-López is found by "lopez"
WITH_FACTS = (joinedload(Slot.location), joinedload(Slot.provider))


@dataclass(frozen=True)
class Match:
    """A patient who fits what was typed, and the visit that counts: the one asked for, else the next, else the last."""

    patient: Patient
    visit: Appointment | None

    @property
    def is_to_come(self) -> bool:
        """Whether that visit stands and is not over."""
        return self.visit is not None and self.visit.takes_slot and self.visit.slot.ends_at > clock.now()


def find_patients(text: str, limit: int = MOST_FOUND) -> list[Match]:
    """The patients who fit a text, by name: never more than a few, and nobody who was merged into another.

    It may be part of a name in any order, with or without a date of birth; a phone number or its last digits; an
    e-mail address up to the @ or further; a date of birth; the reference of a visit.
    """
    conditions = list(_conditions(" ".join(text.split())))
    if not conditions:
        return []
    found = db.session.scalars(
        select(Patient)
        .where(Patient.merged_into_id.is_(None), Patient.erased_at.is_(None), or_(*conditions))
        .order_by(Patient.name_key, Patient.created_at)
        .limit(min(limit, MOST_FOUND))
    ).all()
    visits = _visits_that_count([patient.id for patient in found], read_reference(text))
    return [Match(patient, visits.get(patient.id)) for patient in found]


def find_likely(name: str, born: str, phone: str, email: str, limit: int = 3) -> list[Match]:
    """The patients who may be the person that is being typed in, the likeliest first.

    Two of name, date of birth, phone and e-mail address agree, or the one that has been typed so far.
    """
    agree = list(_agreeing(" ".join(name.split()), born, phone, email.strip()))
    if not agree:
        return []
    points = sum((case((condition, 1), else_=0) for condition in agree[1:]), case((agree[0], 1), else_=0))
    found = db.session.scalars(
        select(Patient)
        .where(Patient.merged_into_id.is_(None), Patient.erased_at.is_(None), points >= min(2, len(agree)))
        .order_by(points.desc(), Patient.name_key, Patient.created_at)
        .limit(limit)
    ).all()
    visits = _visits_that_count([patient.id for patient in found], None)
    return [Match(patient, visits.get(patient.id)) for patient in found]


def _agreeing(name: str, born: str, phone: str, email: str) -> Iterator[ColumnElement[bool]]:
    if (by_words := _by_words(name)) is not None:
        last = search_key(name).split()[-1:]
        alike = [Patient.name_key.endswith(f" {word}", autoescape=True) for word in last if " " in name]
        yield or_(by_words, *alike)
    if (date_of_birth := parse_date(born)) is not None:
        yield Patient.date_of_birth == date_of_birth
    if len(digits := read_digits(phone)) >= FEWEST_DIGITS:
        yield _by_phone(digits.removeprefix("1") if len(digits) == 11 else digits)
    if "@" in email:
        yield Patient.email_hash.in_(find_email(email))


def get_patient(patient_id: UUID) -> Patient | None:
    """The patient of that id, merged or not."""
    return db.session.get(Patient, patient_id)


def list_visits_of(patient_id: UUID) -> Sequence[Appointment]:
    """All visits of a patient, the latest first."""
    return db.session.scalars(
        select(Appointment)
        .join(Appointment.slot)
        .where(Appointment.patient_id == patient_id)
        .options(contains_eager(Appointment.slot).options(*WITH_FACTS), joinedload(Appointment.visit_type))
        .order_by(Slot.starts_at.desc())
    ).all()


def list_merges(patient_id: UUID) -> list[tuple[PatientMerge, Patient]]:
    """Merges that can be undone, each with the record that was merged into this patient."""
    rows = (
        select(PatientMerge, Patient)
        .join(Patient, Patient.id == PatientMerge.merged_id)
        .where(PatientMerge.kept_id == patient_id, PatientMerge.undone_at.is_(None))
        .order_by(PatientMerge.merged_at.desc())
    )
    return [(merge, merged) for merge, merged in db.session.execute(rows)]


def read_reference(text: str) -> str | None:
    """The reference that somebody reads out, in its one form; the clinic's code and the hyphens may be missing."""
    plain = re.sub(r"[\s-]", "", text).upper()
    found = re.fullmatch(r"([A-Z0-9]{0,6})([A-Z0-9]{4})(\d{2})", plain, re.ASCII)
    return f"{found[1] or get_clinic().code}-{found[2]}-{found[3]}" if found else None


def _conditions(text: str) -> Iterator[ColumnElement[bool]]:
    if len(text) < FEWEST_CHARACTERS:
        return
    digits = read_digits(text)
    if re.fullmatch(r"[\d\s()+./-]+", text, re.ASCII):
        if len(digits) >= FEWEST_DIGITS:
            yield _by_phone(digits)
    elif (by_words := _by_words(text)) is not None:
        yield by_words
    if " " not in text and not text.isdigit():
        yield _by_email(text)
    if (born := parse_date(text)) is not None:
        yield Patient.date_of_birth == born
    if (reference := read_reference(text)) is not None:
        yield Patient.id.in_(select(Appointment.patient_id).where(Appointment.reference == reference))


def _by_phone(digits: str) -> ColumnElement[bool]:
    """Whose number ends so: those whose last four digits do, looked at one by one."""
    alike = select(Patient.id, Patient.phone).where(Patient.phone_end_hash.in_(find_phone_end(digits)))
    return Patient.id.in_([id_ for id_, phone in db.session.execute(alike) if phone.endswith(digits)])


def _by_email(text: str) -> ColumnElement[bool]:
    """Whose address begins so, at least up to the @."""
    alike = select(Patient.id, Patient.email).where(Patient.mailbox_hash.in_(find_mailbox(text.partition("@")[0])))
    begins = text.casefold()
    return Patient.id.in_(
        [id_ for id_, email in db.session.execute(alike) if (email or "").casefold().startswith(begins)]
    )


def _by_words(text: str) -> ColumnElement[bool] | None:
    """Each word begins a part of the name, or is the date of birth; None for too little of a name."""
    words = text.replace(",", " ").split()
    dates = [born for word in words if (born := parse_date(word)) is not None]
    names = [name for word in words if parse_date(word) is None for name in search_key(word).split()]
    if not dates and sum(map(len, names)) < FEWEST_CHARACTERS:
        return None
    return and_(
        *(Patient.date_of_birth == born for born in dates),
        *(or_(*(Patient.name_key.contains(s + name, autoescape=True) for s in WORD_STARTS)) for name in names),
    )


def _visits_that_count(patient_ids: list[UUID], reference: str | None) -> dict[UUID, Appointment]:
    """By patient: the visit of that reference, else the next one, else the last."""
    rows = db.session.scalars(
        select(Appointment)
        .join(Appointment.slot)
        .where(
            Appointment.patient_id.in_(patient_ids),
            or_(Appointment.status.in_(TAKE_THE_SLOT), Appointment.reference == reference),
        )
        .options(contains_eager(Appointment.slot).options(*WITH_FACTS), joinedload(Appointment.visit_type))
        .order_by(Slot.starts_at)
    )
    counting: dict[UUID, Appointment] = {}
    for visit in rows:
        known = counting.get(visit.patient_id)
        if known is None or (
            known.reference != reference and (visit.reference == reference or known.slot.ends_at <= clock.now())
        ):
            counting[visit.patient_id] = visit
    return counting
