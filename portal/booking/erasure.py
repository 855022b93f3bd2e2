"""Erase a person: names, contact, answers and words go; visits stay as rows about nobody, so that counts stay true."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, select, update

from portal import audit
from portal.booking.holds import find_held
from portal.booking.models import TAKE_THE_SLOT, Appointment, Patient
from portal.booking.person import PARTS, Person, Row, find_records, find_rows, gather
from portal.core import clock
from portal.core.db import Base, db, transactional
from portal.notifications.models import UNDER_WAY, MailState, OutgoingMail
from portal.notifications.queries import list_mail_about
from portal.scheduling.models import Slot

# Why somebody is erased, as the desk chooses it and the audit trail names it.
REASONS = {
    "asked": "The person asked for it",
    "by-mistake": "The record was made by mistake",
    "other": "Another reason that the clinic keeps in its own files",
}
ON_ITS_WAY = timedelta(minutes=5)  # in which a mail that is due leaves, while any mail does


class NotErasable(Exception):
    """Nothing was erased; why not."""


class UnderLegalHold(NotErasable):
    """A legal hold stands on one of the person's records."""


class HasVisitToCome(NotErasable):
    """There is a visit to come, which must be cancelled first: it would stand in the diary for nobody."""


class NewsUnsent(NotErasable):
    """The mail that a visit is cancelled has not left: it waits for its undoing, or leaves just now."""


@transactional
def erase(patient_id: UUID, reason: str) -> Person:
    """Erase whoever that record belongs to, under all records; twice is once. Returns what was found.

    Raises UnderLegalHold, HasVisitToCome, NewsUnsent, LookupError; then nothing was changed.
    """
    records = _lock_records(patient_id)
    person = gather(patient_id)
    if all(record.erased_at is not None for record in records):
        return person
    check_erasable(person)
    rows = {name: find_rows(person, name) for name, part in PARTS.items() if part.erase or part.is_deleted}
    for name, part in PARTS.items():
        if part.erase:  # before rows go that these refer to
            _blank(name, rows[name])
    for table in reversed(Base.metadata.sorted_tables):
        if table.name in PARTS and PARTS[table.name].is_deleted:
            _delete(table.name, rows[table.name])
    audit.services.record("patient-erased", f"patient:{patient_id}", reason=reason, **_count(rows))
    db.session.expire_all()
    return person


def _lock_records(patient_id: UUID) -> Sequence[Patient]:
    """All records of a person, locked: also one that was merged into them while they were waited for."""
    locked: set[UUID] = set()
    while (found := find_records(patient_id)) != locked:
        locked = found
        rows = select(Patient).where(Patient.id.in_(found)).order_by(Patient.id).with_for_update()
        records = db.session.scalars(rows.execution_options(populate_existing=True)).all()
    return records


def check_erasable(person: Person) -> None:
    """Go on only when nothing stands against erasing. Raises UnderLegalHold, HasVisitToCome, NewsUnsent."""
    if find_held(person.patients):
        raise UnderLegalHold
    to_come = (
        select(Appointment.id)
        .join(Appointment.slot)
        .where(Appointment.patient_id.in_(person.patients), Appointment.status.in_(TAKE_THE_SLOT))
        .where(Slot.ends_at > clock.now())
    )
    if db.session.scalar(to_come.limit(1)) is not None:
        raise HasVisitToCome
    mails = (mail for visit_id in person.appointments for mail in list_mail_about(visit_id))
    if any(mail.kind == "cancelled" and _is_leaving(mail) for mail in mails):
        raise NewsUnsent


def _is_leaving(mail: OutgoingMail) -> bool:
    """Whether a mail leaves within minutes, or is at the mail server at this moment."""
    now = clock.now()
    if mail.state in UNDER_WAY:
        return mail.lease_until is not None and mail.lease_until > now
    return mail.state == MailState.QUEUED and mail.not_before > now - ON_ITS_WAY


def _blank(name: str, rows: list[Row]) -> None:
    table = Base.metadata.tables[name]
    for row in rows:
        values = {column: value(row) if callable(value) else value for column, value in PARTS[name].erase.items()}
        db.session.execute(update(table).where(_is(name, row)).values(values))


def _delete(name: str, rows: list[Row]) -> None:
    table = Base.metadata.tables[name]
    for row in rows:
        db.session.execute(delete(table).where(_is(name, row)))


def _is(name: str, row: Row) -> Any:
    return and_(*(key == row[key.name] for key in Base.metadata.tables[name].primary_key))


def _count(rows: dict[str, list[Row]]) -> dict[str, int]:
    return {"records": len(rows["patient"]), "visits": len(rows["appointment"])}
