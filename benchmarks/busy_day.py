"""A day as full as days get: twelve clinicians, three hundred visits in every state, some free times."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.booking.models import Appointment, Patient, Status
from portal.core import clock
from portal.core.db import db, transactional
from portal.notifications.models import MailState, OutgoingMail
from portal.scheduling.models import Closure, Location, Provider, Slot, SlotState, VisitType
from portal.scheduling.queries import list_locations

CLINICIANS = """
Ruth Alvarez, MD|Tom Bergmann, DO|Ines Carvalho, MD|Dara Dunne, NP|Femi Eze, MD|Greta Falk, PA
Hugo Grant, MD|Ilse Hoffmann, NP|Jun Ishikawa, MD|Kamila Jelinek, PT|Liam Kowalski, DO|Mona Lindqvist, MD
"""
FIRST = "Ada Ben Chloe David Elif Farid Grace Henry Isla Jamal Kira Leon Maria Noah Olga Priya Quinn Rosa Sam Tara"
LAST = "Abbott Baker-Jones Castellanos Diaz Eriksen Farouk Goldstein Huang Ivanova Jackson Kim Lopez Murphy Nakamura"
LENGTH, OPENS, LUNCH, CLOSES = timedelta(minutes=20), time(8), time(12), time(17, 40)
VISITS_EACH = 25
DAY = timedelta(days=1)


@transactional
def store_busy_day(day: date) -> None:
    """Add the clinicians and their day. What has passed by now is done, missed or waiting in the rooms."""
    chance, place = random.Random(7), list_locations()[0]
    types = list(db.session.scalars(select(VisitType).order_by(VisitType.id)))
    for number, name in enumerate(re.findall("[^|\n]+", CLINICIANS)):
        provider = _add_clinician(number, name)
        lunch = datetime.combine(day, LUNCH)
        rule = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"
        closure = {"starts": lunch, "ends": lunch + timedelta(hours=1), "rule": rule, "reason": "Lunch"}
        db.session.add(Closure(provider_id=provider.id, until=None, location_id=None, **closure))
        slots = [_add_slot(provider, place, chance.choice(types), starts) for starts in _times(day, place)]
        db.session.flush()
        for slot in chance.sample(slots, VISITS_EACH):
            slot.state = SlotState.BOOKED
            visit = _add_visit(slot, chance, _status(slot, chance))
            if chance.random() < 0.8:
                _add_earlier_visit(visit, chance)
            if chance.random() < 0.05:
                db.session.flush()
                _add_visit(slot, chance, Status.CANCELLED)
                db.session.add(_failed_mail(visit.id))


def _add_clinician(number: int, name: str) -> Provider:
    about = {"credentials": "", "role": "Clinician", "languages": ["English"], "sees": [], "about": "", "email": None}
    provider = Provider(code=f"busy-{number}", name=name, daily_cap=None, **about)
    db.session.add(provider)
    db.session.flush()
    return provider


def _times(day: date, place: Location) -> Iterator[datetime]:
    wall = datetime.combine(day, OPENS)
    while wall.time() < CLOSES:
        if wall.time().hour != LUNCH.hour:
            yield clock.instant(wall, place.zone)
        wall += LENGTH


def _add_slot(provider: Provider, place: Location, kind: VisitType, starts: datetime) -> Slot:
    wall, ends = starts.astimezone(place.zone), starts + LENGTH
    slot = Slot(
        provider=provider,
        location=place,
        visit_type=kind,
        starts_at=starts,
        ends_at=ends,
        reserved_from=starts,
        reserved_until=ends,
        day=wall.date(),
        begins=wall.time(),
    )
    db.session.add(slot)
    return slot


def _status(slot: Slot, chance: random.Random) -> Status:
    minutes = (clock.now() - slot.starts_at).total_seconds() / 60
    if minutes > 30:
        return Status.NOSHOW if chance.random() < 0.08 else Status.FULFILLED
    if minutes > 0:
        return Status.CHECKED_IN
    return Status.ARRIVED if minutes > -25 and chance.random() < 0.6 else Status.BOOKED


def _add_visit(slot: Slot, chance: random.Random, status: Status) -> Appointment:
    now, number = clock.now(), chance.randrange(10**12)
    patient = Patient(
        name=f"{chance.choice(FIRST.split())} {chance.choice(LAST.split())}",
        date_of_birth=date(1940 + number % 65, 1 + number % 12, 1 + number % 28),
        email=f"p{number}@example.com",
        phone=f"+1212{number % 10**7:07}",
        reach_by="call",
        created_at=now,
    )
    visit = Appointment(
        id=uuid4(),
        reference=f"B-{number:012}",
        slot=slot,
        visit_type=slot.visit_type,
        patient=patient,
        status=status,
        lane=chance.choice(("consult", "consult", "self_care")),
        prompt=chance.random() < 0.15,
        note="Needs an interpreter" if chance.random() < 0.1 else None,
        ics_uid=f"{number}@clinic.example",
        ics_sequence=int(chance.random() < 0.1),
        idempotency_key=str(number),
        token=str(number),
        token_hash=str(number),
        created_at=now,
        changed_at=now,
        arrived_at=now - timedelta(minutes=chance.randrange(1, 30)) if status == Status.ARRIVED else None,
    )
    db.session.add(visit)
    return visit


def _add_earlier_visit(visit: Appointment, chance: random.Random) -> None:
    """Four weeks before, so that the patient is no new one."""
    slot = _add_slot(visit.slot.provider, visit.slot.location, visit.visit_type, visit.slot.starts_at - 28 * DAY)
    slot.state = SlotState.BOOKED
    _add_visit(slot, chance, Status.FULFILLED).patient = visit.patient


def _failed_mail(visit_id: UUID) -> OutgoingMail:
    at = {name: clock.now() for name in ("not_before", "due_at", "queued_at")}
    return OutgoingMail(
        kind="booked", about_id=visit_id, sequence=0, message_id=f"<{visit_id}>", state=MailState.FAILED, **at
    )
