"""How long patients, their visits and what belongs to these is kept, and what a legal hold spares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SelectBase, delete, exists, func, or_, select

from portal.audit.purging import find_oldest, remove_oldest
from portal.booking import holds
from portal.booking.erasure import NotErasable, erase
from portal.booking.links import LASTS_AFTER_VISIT, end_link
from portal.booking.models import (
    TAKE_THE_SLOT,
    Appointment,
    BookingDraft,
    LegalHold,
    Offer,
    Patient,
    PatientRequest,
    WaitlistEntry,
)
from portal.core import retention
from portal.core.db import Base, db
from portal.core.retention import YEAR, Rule, delete_rows
from portal.notifications.services import forget_recipients
from portal.scheduling.models import Slot
from portal.scheduling.queries import NoClinic, get_clinic

SAFE_YEARS = 10  # where no clinic says another number
GROWN_UP = 18 * YEAR
AUDIT_LONGER = 2 * YEAR  # than any record that it tells of


def init_app() -> None:
    retention.register(DRAFTS, LINKS, WAITLIST, REQUESTS, NEVER_CAME, RECORDS, AUDIT)
    for table, column, held in (
        ("outgoing_mail", "about_id", _select_held_abouts),
        ("assessment", "journey_id", holds.select_held_journeys),
        ("resume_link", "journey_id", holds.select_held_journeys),
        ("journey", "id", holds.select_held_journeys),
        ("booking_draft", "journey_id", holds.select_held_journeys),
        ("appointment", "id", holds.select_held_visits),
        ("waitlist_entry", "appointment_id", holds.select_held_visits),
        ("patient_request", "id", holds.select_held_requests),
        ("patient", "id", holds.select_held),
    ):
        for kind in KINDS_OF[table]:
            retention.spare(kind, _unless_held(Base.metadata.tables[table].c[column], held))
    retention.spare("audit-trail", lambda: ~exists().where(LegalHold.lifted_at.is_(None)))


def record_period() -> timedelta:
    """How long medical records are kept after the last visit, as the clinic says."""
    years = SAFE_YEARS
    with suppress(NoClinic):
        years = get_clinic().record_years
    return years * YEAR


def _unless_held(column: Any, held: Callable[[], SelectBase]) -> Callable[[], ColumnElement[bool]]:
    return lambda: column.not_in(held())


def _select_held_abouts() -> Any:
    return holds.select_held_visits().union_all(holds.select_held_offers(), holds.select_held_requests())


def _find_drafts(before: datetime) -> Select[UUID]:
    return select(BookingDraft.journey_id).where(BookingDraft.changed_at < before)


def _find_links(before: datetime) -> Select[UUID]:
    return select(Appointment.id).where(Appointment.link_ended_at.is_(None), _is_over(before))


def _end_links(ids: Sequence[UUID]) -> None:
    for visit in db.session.scalars(select(Appointment).where(Appointment.id.in_(ids))):
        end_link(visit)


def _find_entries(before: datetime) -> Select[UUID]:
    over = exists().where(Appointment.id == WaitlistEntry.appointment_id, _is_over(before))
    return select(WaitlistEntry.id).where(over)


def _delete_entries(ids: Sequence[UUID]) -> None:
    forget_recipients(db.session.scalars(select(Offer.id).where(Offer.entry_id.in_(ids))).all())
    db.session.execute(delete(Offer).where(Offer.entry_id.in_(ids)))
    db.session.execute(delete(WaitlistEntry).where(WaitlistEntry.id.in_(ids)))


def _is_over(before: datetime) -> ColumnElement[bool]:
    return exists().where(Slot.id == Appointment.slot_id, Slot.ends_at < before).correlate(Appointment)


def _find_requests(before: datetime) -> Select[UUID]:
    return select(PatientRequest.id).where(func.coalesce(PatientRequest.settled_at, PatientRequest.asked_at) < before)


def _find_never_came(before: datetime) -> Select[UUID]:
    """Patients all of whose visits were cancelled before they began."""
    return _find_patients(before).where(~_has_visit(Appointment.status.in_(TAKE_THE_SLOT)))


def _find_records(before: datetime) -> Select[UUID]:
    """Patients whose last visit was before that, and who were grown up before that."""
    of_age = Patient.date_of_birth < (before - GROWN_UP).date()
    return _find_patients(before).where(_has_visit(Appointment.status.in_(TAKE_THE_SLOT)), of_age)


def _find_patients(before: datetime) -> Select[UUID]:
    lately = or_(Appointment.created_at >= before, _slot_ends(before))
    stands = (Patient.merged_into_id.is_(None), Patient.erased_at.is_(None), Patient.created_at < before)
    return select(Patient.id).where(*stands, ~_has_visit(lately))


def _has_visit(which: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(Appointment.patient_id == Patient.id, which)


def _slot_ends(not_before: datetime) -> ColumnElement[bool]:
    return exists().where(Slot.id == Appointment.slot_id, Slot.ends_at >= not_before).correlate(Appointment)


def _erase(ids: Sequence[UUID]) -> None:
    for id_ in ids:
        with suppress(NotErasable):
            erase(id_, "retention")


DRAFTS = Rule(
    kind="begun-bookings",
    what="What was typed for a booking that was not finished",
    since="the last change",
    why="Long enough to come back to it in the same browser.",
    keep=timedelta(days=7),
    find=_find_drafts,
    remove=delete_rows(BookingDraft.journey_id),
)
LINKS = Rule(
    kind="visit-links",
    what="The link in your mails that opens a visit",
    since="the end of the visit",
    why="Long enough to look something up; then nobody who finds an old mail can open it.",
    keep=LASTS_AFTER_VISIT,
    find=_find_links,
    remove=_end_links,
)
WAITLIST = Rule(
    kind="waitlist-entries",
    what="Your place on the earlier-slot list, your wishes, and the times that were offered",
    since="the end of the visit",
    why="Long enough to say who was offered what.",
    keep=timedelta(days=90),
    find=_find_entries,
    remove=_delete_entries,
)
REQUESTS = Rule(
    kind="requests",
    what="Requests to be called or for a time, and referrals by a practice",
    since="the day it was settled, or else asked",
    why="Long enough to answer questions about it.",
    keep=timedelta(days=180),
    find=_find_requests,
    remove=delete_rows(PatientRequest.id, first=forget_recipients),
)
NEVER_CAME = Rule(
    kind="cancelled-bookings",
    what="Name, date of birth and contact of somebody all of whose visits were cancelled",
    since="the last of these visits",
    why="Nobody was treated, so there is no medical record; a year, for whoever books again.",
    keep=YEAR,
    find=_find_never_came,
    remove=_erase,
    at_once=10,
)
RECORDS = Rule(
    kind="medical-records",
    what="Name, date of birth, contact, answers and notes of somebody who had a visit",
    since="the last visit, and never before eighteen years of age",
    why="States ask for medical records to be kept for years; the clinic sets how many.",
    keep=record_period,
    find=_find_records,
    remove=_erase,
    at_once=10,
)
AUDIT = Rule(
    kind="audit-trail",
    what="Who saw and did what with records: numbers of records, no names of patients and nothing medical",
    since="the day it was done",
    why="It must outlast every record that it tells of.",
    keep=lambda: record_period() + AUDIT_LONGER,
    find=find_oldest,
    remove=remove_oldest,
    oldest_first=True,
)
KINDS_OF = {
    "outgoing_mail": ("mails",),
    "assessment": ("unfinished-checks", "checks-without-visit"),
    "resume_link": ("resume-links",),
    "journey": ("journeys",),
    "booking_draft": ("begun-bookings",),
    "appointment": ("visit-links",),
    "waitlist_entry": ("waitlist-entries",),
    "patient_request": ("requests",),
    "patient": ("cancelled-bookings", "medical-records"),
}
