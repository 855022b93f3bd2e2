"""The visits of a day or more, as rows without objects: nothing of them is decrypted that is not asked for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Integer, Select, bindparam, exists, func, select
from sqlalchemy.orm import aliased

from portal.booking.models import TAKE_THE_SLOT, Appointment, Patient, Status, VisitChange, VisitNote
from portal.core.db import db
from portal.core.rows import read_rows
from portal.notifications import queries as notifications
from portal.scheduling.diary import of_provider
from portal.scheduling.models import Slot

# A patient with an earlier visit in one of these states has been here, or is expected before.
CAME = (Status.BOOKED, Status.ARRIVED, Status.CHECKED_IN, Status.FULFILLED)
# What pages of many visits show of each. The fewer columns, the sooner they are read.
OF_VISIT = (
    Appointment.id,
    Appointment.slot_id,
    Appointment.visit_type_id,
    Appointment.status,
    Appointment.lane,
    Appointment.prompt,
    Appointment.version,
    Appointment.arrived_at,
    Patient.name,
)
OF_SLOT = (Slot.provider_id, Slot.location_id, Slot.day, Slot.begins, Slot.starts_at, Slot.ends_at)
ON_SHEET = (*OF_SLOT, Patient.date_of_birth, Patient.phone)
IN_FILE = (*ON_SHEET, Patient.email, Appointment.reference, Appointment.created_at)
DAYS = Slot.day.between(bindparam("first", type_=Date), bindparam("last", type_=Date))
VisitRow = Any  # a row with the columns of a visit, and what else was asked for
Query = Select[*tuple[Any, ...]]


def list_visit_rows(first: date, last: date, provider_id: int | None = None) -> Sequence[VisitRow]:
    """The visits of these days by the clocks of their place, cancelled ones too, with patient and time."""
    return _list_rows(OF_SLOT, first, last, provider_id)


def list_marked_rows(first: date, last: date, provider_id: int | None = None) -> Sequence[VisitRow]:
    """As `list_visit_rows`, without what their slots say; with whether the patient is `new`, and the visit `moved`."""
    return _list_rows((IS_NEW, HAS_MOVED), first, last, provider_id)


def list_sheet_rows(day: date, provider_id: int | None = None) -> Sequence[VisitRow]:
    """As `list_visit_rows`, with what else stands on paper: also the phone number, which takes decrypting."""
    return _list_rows(ON_SHEET, day, day, provider_id)


def list_file_rows(first: date, last: date) -> Sequence[VisitRow]:
    """As `list_visit_rows`, with all that a spreadsheet shows."""
    return _list_rows(IN_FILE, first, last, None)


def count_visits(first: date, last: date, provider_id: int | None = None) -> dict[date, int]:
    """How many visits stand on each of these days that has any."""
    query = select(Slot.day, func.count()).join(Appointment.slot).where(Slot.day.between(first, last))
    query = query.where(Appointment.status.in_(TAKE_THE_SLOT), *of_provider(provider_id))
    return dict(db.session.execute(query.group_by(Slot.day)).all())


def find_troubled(first: date, last: date) -> set[UUID]:
    """Those visits of these days about which a mail is a problem."""
    return set(db.session.scalars(TROUBLED, {"first": first, "last": last}))


def find_notes(visit_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """What patients and staff noted to these visits, by visit, the patient's own words first."""
    notes: dict[UUID, list[str]] = {}
    typed = select(Appointment.id, Appointment.note).where(Appointment.id.in_(visit_ids), Appointment.note.is_not(None))
    written = select(VisitNote.appointment_id, VisitNote.words).where(VisitNote.appointment_id.in_(visit_ids))
    for query in (typed, written.order_by(VisitNote.id)):
        for visit_id, words in db.session.execute(query):
            if words:
                notes.setdefault(visit_id, []).append(words)
    return notes


def _is_new() -> ColumnElement[bool]:
    """Whether the patient has no visit before this one."""
    earlier, before = aliased(Appointment), aliased(Slot)
    came = exists().where(
        earlier.patient_id == Appointment.patient_id,
        earlier.status.in_(CAME),
        before.id == earlier.slot_id,
        before.starts_at < Slot.starts_at,
    )
    return ~came


def _has_moved() -> ColumnElement[bool]:
    """Whether the visit was at another time before."""
    moved = (VisitChange.kind == "moved", VisitChange.undone_at.is_(None))
    return exists().where(VisitChange.appointment_id == Appointment.id, *moved)


# Building a query takes longer than answering it; these are built once for all who ask the same.
IS_NEW, HAS_MOVED = _is_new().label("new"), _has_moved().label("moved")
TROUBLED = notifications.troubled_among(select(Appointment.id).join(Appointment.slot).where(DAYS))


def _list_rows(more: tuple[Any, ...], first: date, last: date, provider_id: int | None) -> Sequence[VisitRow]:
    asked: dict[str, Any] = {"first": first, "last": last, "provider": provider_id}
    # By the connection, because the session would make each row anew.
    return read_rows(db.session.connection().execute(_rows_query(more, provider_id is not None), asked))


@cache
def _rows_query(more: tuple[Any, ...], of_one: bool) -> Query:
    query = select(*OF_VISIT, *more).join(Appointment.patient).join(Appointment.slot).where(DAYS)
    if of_one:
        query = query.where(Slot.provider_id == bindparam("provider", type_=Integer))
    return query.order_by(Slot.day, Slot.begins, Appointment.created_at, Appointment.id)
