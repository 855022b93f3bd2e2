"""A database as years of work leave it: visits and all that is stored with each, made in bulk."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, event, func, insert, select
from sqlalchemy.engine import Engine

from portal.assessment.models import Assessment
from portal.assessment.questionnaire import VERSION
from portal.audit.models import AuditEntry
from portal.booking.contact_hashes import hash_contact
from portal.booking.models import Appointment, Patient, Status
from portal.core import clock
from portal.core.columns import UtcDateTime
from portal.core.db import Base, db, transactional
from portal.core.text import search_key
from portal.notifications.models import MailState, OutgoingMail
from portal.referrals.models import Journey, Milestone
from portal.scheduling.models import Location, Provider, Slot, SlotState, VisitType

AT_ONCE = 5000  # rows
HALF_HOUR, FIVE_MINUTES, DAY = timedelta(minutes=30), timedelta(minutes=5), timedelta(days=1)
TWENTY_MINUTES = timedelta(minutes=20)
A_DAY = 16  # half hours that a clinician works
ORDERING = re.compile(r"^(BEGIN|SET LOCAL)|FOR UPDATE$|pg_advisory_xact_lock")  # of transactions, and no question

Time = tuple[int, datetime]  # a clinician, and when


@transactional
def store_past_visits(count: int) -> None:
    """Visits of the years before today; of the times that were offered, a third was taken by nobody."""
    times = list(islice(_past_times(), count * 3 // 2))
    _add_slots(times[::3], HALF_HOUR, SlotState.FREE)
    _add_slots([*times[1::3], *times[2::3]], HALF_HOUR, SlotState.BOOKED)
    _add_visits()


@transactional
def store_coming_visits(count: int, days: int) -> None:
    """Visits of five minutes by day and night in the days to come, with clinicians whose days are never full."""
    free = list(_coming_times(days))
    _add_slots(random.Random(1).sample(free, count), FIVE_MINUTES, SlotState.BOOKED)
    _add_visits()


@transactional
def store_free_times(count: int) -> None:
    """Times to come that can be booked, of twenty minutes, with every clinician whose days are never full."""
    providers = db.session.scalars(select(Provider.id).where(Provider.daily_cap.is_(None)).order_by(Provider.id)).all()
    known = select(Slot.provider_id, Slot.day).where(Slot.starts_at > clock.now() - DAY).distinct()
    taken = {(provider_id, day) for provider_id, day in db.session.execute(known)}
    opens = (clock.now() + DAY).replace(hour=13, minute=0, second=0, microsecond=0)
    times = (
        (provider_id, opens + DAY * day + TWENTY_MINUTES * number)
        for day in range(count)
        for provider_id in providers
        if (provider_id, (opens + DAY * day).date()) not in taken
        for number in range(30)
    )
    _add_slots(list(islice(times, count)), TWENTY_MINUTES, SlotState.FREE)


@contextmanager
def note_queries() -> Iterator[list[str]]:
    """The questions that are asked of any database meanwhile: all statements but those that begin and order
    transactions, of which PostgreSQL needs more.
    """
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if not ORDERING.search(statement):
            sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def _past_times() -> Iterator[Time]:
    """Half hours of every clinician, backwards from the day before the first that is stored."""
    first = min(db.session.scalar(select(func.min(Slot.starts_at))) or clock.now(), clock.now())
    opens = first.replace(hour=13, minute=0, second=0, microsecond=0)
    providers = db.session.scalars(select(Provider.id).order_by(Provider.id)).all()
    while True:
        opens -= DAY
        for number in range(A_DAY):
            yield from ((provider_id, opens + HALF_HOUR * number) for provider_id in providers)


def _coming_times(days: int) -> Iterator[Time]:
    begin = clock.now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=3)
    uncapped = select(Provider.id).where(Provider.daily_cap.is_(None)).order_by(Provider.id)
    for provider_id in db.session.scalars(uncapped).all():
        taken: set[int] = set()
        stretches = select(Slot.reserved_from, Slot.reserved_until).where(Slot.provider_id == provider_id)
        for starts, ends in db.session.execute(stretches.where(Slot.reserved_until > begin)):
            taken.update(range((starts - begin) // FIVE_MINUTES, -((begin - ends) // FIVE_MINUTES)))
        yield from (
            (provider_id, begin + FIVE_MINUTES * n) for n in range(days * DAY // FIVE_MINUTES) if n not in taken
        )


def _add_slots(times: Sequence[Time], length: timedelta, state: SlotState) -> None:
    location = db.session.scalars(select(Location).order_by(Location.id)).first()
    visit_type_id = db.session.scalar(select(func.min(VisitType.id)))
    assert location is not None
    rows = []
    for provider_id, starts_at in times:
        wall, ends_at = starts_at.astimezone(location.zone), starts_at + length
        rows.append(
            {
                "provider_id": provider_id,
                "location_id": location.id,
                "visit_type_id": visit_type_id,
                "starts_at": starts_at,
                "ends_at": ends_at,
                "reserved_from": starts_at,
                "reserved_until": ends_at,
                "day": wall.date(),
                "begins": wall.time(),
                "offered": True,
                "state": state,
            }
        )
    _insert(Slot, rows)


def _add_visits() -> None:
    """A visit for each booked slot that has none, with everything that a booking writes."""
    taken = select(Appointment.slot_id)
    booked = select(Slot.id, Slot.visit_type_id, Slot.starts_at).where(Slot.state == SlotState.BOOKED)
    for model, rows in _rows_of(db.session.execute(booked.where(Slot.id.not_in(taken))).all()).items():
        _insert(model, rows)


def _rows_of(slots: Sequence[Row[Any]]) -> dict[type[Base], list[dict[str, Any]]]:
    rows: dict[type[Base], list[dict[str, Any]]] = {
        model: [] for model in (Patient, Journey, Milestone, Assessment, Appointment, OutgoingMail, AuditEntry)
    }
    for slot_id, visit_type_id, starts_at in slots:
        at, ids = min(starts_at, clock.now()) - 7 * DAY, [uuid4() for _ in range(4)]
        for model, values in _one_visit(slot_id, visit_type_id, *ids):
            rows[model].append({**_times(model, at), **values})
    return rows


def _times(model: type[Base], at: datetime) -> dict[str, datetime]:
    """All that a row must say of when it was made."""
    columns = model.__table__.columns
    return {column.key: at for column in columns if isinstance(column.type, UtcDateTime) and not column.nullable}


def _one_visit(
    slot_id: int, visit_type_id: int, visit: UUID, patient: UUID, journey: UUID, assessment: UUID
) -> Iterator[tuple[type[Base], dict[str, Any]]]:
    born, phone = date(1940 + slot_id % 60, 1 + slot_id % 12, 1 + slot_id % 28), f"+1212{slot_id:07}"
    name = f"Former Patient {slot_id}"
    person = {"name": name, "name_key": search_key(name), "email": f"p{slot_id}@example.com", "reach_by": "call"}
    hashes = hash_contact(email=person["email"], phone=phone)
    yield Patient, {"id": patient, "date_of_birth": born, "phone": phone, **person, **hashes}
    yield Journey, {"id": journey}
    yield Milestone, {"journey_id": journey, "kind": "booked"}
    answers = {"answers": {"red_flags_now": ["none"]}, "questionnaire_version": VERSION, "furthest": 1, "kept": True}
    yield Assessment, {"id": assessment, "journey_id": journey, "revision": 1, **answers}
    whose = {"patient_id": patient, "journey_id": journey, "assessment_id": assessment, "lane": "consult"}
    where = {"slot_id": slot_id, "visit_type_id": visit_type_id, "status": Status.BOOKED}
    secrets = {name: f"{name} {visit}"[:64] for name in ("idempotency_key", "token_hash", "token", "ics_uid")}
    yield Appointment, {"id": visit, "reference": f"OLD-{slot_id}", **whose, **where, **secrets}
    mail = {"kind": "booked", "sequence": 0, "state": MailState.SENT, "attempts": 1}
    yield OutgoingMail, {"about_id": visit, "message_id": f"<{visit}@clinic.example>", **mail}
    seals = {"previous": "0" * 64, "seal": visit.hex}
    yield (
        AuditEntry,
        {"actor": "patient", "action": "booked", "subject": f"appointment:{visit}", "details": {}, **seals},
    )


def _insert(model: type[Base], rows: list[dict[str, Any]]) -> None:
    for begin in range(0, len(rows), AT_ONCE):
        db.session.execute(insert(model), rows[begin : begin + AT_ONCE])
