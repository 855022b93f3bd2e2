"""Change a patient's contact; make one of two records of one person, and two again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from portal import audit
from portal.booking.announce import announce_anew
from portal.booking.holds import extend_holds
from portal.booking.models import Appointment, Patient, PatientMerge, Status
from portal.booking.queries import find_one_of_kind
from portal.booking.services import Details, find_one_of_kind_keys, one_of_kind_key
from portal.core import clock
from portal.core.db import db, transactional
from portal.core.edits import Values, check_unchanged
from portal.notifications.queries import may_have_heard_of
from portal.scheduling.models import Slot

CONTACT = ("name", "date_of_birth", "phone", "email", "reach_by")


class NotMergeable(Exception):
    """The two records are one already, or one of them has been merged elsewhere in the meantime."""


class MergedMeanwhile(Exception):
    """The record has been merged into another in the meantime."""


def contact_of(patient: Patient) -> Details:
    """Who a patient is and how to reach them."""
    return Details(**{name: getattr(patient, name) for name in CONTACT}, note="")


def read_contact(patient: Patient) -> Values:
    """As `contact_of`, as a form carries it."""
    values = contact_of(patient).to_json()
    return {name: values[name] for name in CONTACT}


@transactional
def change_contact(patient_id: UUID, details: Details, seen: Values) -> None:
    """Store what is new of a patient's contact.

    Raises LookupError, MergedMeanwhile, and ChangedMeanwhile when it is not as `seen`.
    """
    patient = _lock(patient_id)
    if patient.merged_into_id is not None:
        raise MergedMeanwhile
    check_unchanged(seen, read_contact(patient))
    _change(patient, {name: getattr(details, name) for name in CONTACT})


@transactional
def get_standing(patient_id: UUID) -> Patient:
    """The record that stands for a patient, locked: that one, or what it was merged into. Raises LookupError."""
    patient = _lock(patient_id)
    return patient if patient.merged_into_id is None else get_standing(patient.merged_into_id)


@transactional
def complete_contact(patient_id: UUID, details: Details, seen: Values) -> None:
    """Store in which a patient's contact differs from what was seen of it: what else has changed since, stays.

    Raises LookupError.
    """
    said = details.to_json()
    _change(_lock(patient_id), {name: getattr(details, name) for name in CONTACT if said[name] != seen.get(name)})


@transactional
def change_address(patient_id: UUID, email: str) -> None:
    """Store another e-mail address. Raises LookupError."""
    _change(_lock(patient_id), {"email": email})


@transactional
def separate(appointment: Appointment) -> None:
    """Let a visit stand on a record of its own with the same contact, where others stand on its patient's, too.

    What holds the one record holds the other. Raises LookupError for a patient who was erased.
    """
    shared = _lock(appointment.patient_id)
    if len(_visits_of(shared.id)) > 1:
        own = Patient(**{name: getattr(shared, name) for name in CONTACT}, created_at=clock.now())
        appointment.patient = own
        db.session.flush()
        extend_holds(shared.id, own.id)
        audit.services.record("patient-separated", f"patient:{shared.id}", separated=str(own.id))


@transactional
def merge(kept_id: UUID, merged_id: UUID, contact: Mapping[str, object], staff_id: int) -> PatientMerge:
    """Move all visits of a record to another, which goes on with that contact; the first is kept for its history.

    Raises NotMergeable when either has been merged already, LookupError for an unknown one.
    """
    kept, merged = (_lock(id_) for id_ in (kept_id, merged_id))
    if kept is merged or kept.merged_into_id or merged.merged_into_id:
        raise NotMergeable
    visits = _visits_of(merged.id)
    merged.merged_into_id = kept.id
    for visit in visits:
        visit.patient = kept
    done = PatientMerge(
        kept_id=kept.id,
        merged_id=merged.id,
        appointment_ids=[str(visit.id) for visit in visits],
        contact_before=contact_of(kept).to_json(),
        staff_id=staff_id,
        merged_at=clock.now(),
    )
    db.session.add(done)
    db.session.flush()
    _change(kept, contact)
    _renew_keys(kept)
    audit.services.record("patients-merged", f"patient:{kept.id}", merged=str(merged.id), visits=len(visits))
    return done


@transactional
def undo_merge(merge_id: UUID) -> PatientMerge:
    """Give a merged record its visits back, and the other its contact; visits and contact given since stay with it.

    Twice is once. Raises LookupError for an unknown one, MergedMeanwhile when the visits went on to another record.
    """
    done = db.session.get(PatientMerge, merge_id, with_for_update=True, populate_existing=True)
    if done is None:
        raise LookupError(merge_id)
    if done.undone_at is not None:
        return done
    kept, merged = _lock(done.kept_id), _lock(done.merged_id)
    if kept.merged_into_id is not None:
        raise MergedMeanwhile
    for visit in _visits_of(kept.id):
        if str(visit.id) in done.appointment_ids:
            visit.patient = merged
    extend_holds(kept.id, merged.id, since=done.merged_at)
    merged.merged_into_id, done.undone_at = None, clock.now()
    before = Details.from_json(done.contact_before)
    for name in CONTACT:
        if getattr(kept, name) == getattr(merged, name):
            setattr(kept, name, getattr(before, name))
    db.session.flush()
    _renew_keys(kept)
    _renew_keys(merged, also_without=True)
    audit.services.record("merge-undone", f"patient:{kept.id}", merged=str(merged.id))
    return done


def find_doubled(kept: Patient, merged: Patient) -> list[tuple[Appointment, Appointment]]:
    """Pairs of visits to come, of one kind, that one person would have after a merge."""
    theirs = {visit.visit_type.kind: visit for visit in _to_come(kept.id)}
    return [(theirs[visit.visit_type.kind], visit) for visit in _to_come(merged.id) if visit.visit_type.kind in theirs]


def _change(patient: Patient, contact: Mapping[str, object]) -> None:
    changed = [name for name, value in contact.items() if name in CONTACT and getattr(patient, name) != value]
    had_address = patient.email is not None
    for name in changed:
        setattr(patient, name, contact[name])
    if not changed:
        return
    db.session.flush()
    _renew_keys(patient)
    if not had_address and patient.email:
        for visit in _to_come(patient.id):
            if visit.status == Status.BOOKED and not may_have_heard_of(visit.id):
                announce_anew(visit, may_undo=True)
    audit.services.record("contact-changed", f"patient:{patient.id}", fields=changed)


def _renew_keys(patient: Patient, also_without: bool = False) -> None:
    """Let the keys of a patient's visits be of the person as now described; a second visit of a kind goes without."""
    visits = [visit for visit in _to_come(patient.id) if also_without or visit.one_of_kind is not None]
    wanted = {visit.id: one_of_kind_key(patient, visit.visit_type.kind) for visit in visits}
    for visit in visits:
        if visit.one_of_kind != wanted[visit.id]:
            visit.one_of_kind = None
    db.session.flush()
    for visit in visits:
        keys = find_one_of_kind_keys(patient, visit.visit_type.kind)
        if visit.one_of_kind is None and find_one_of_kind(keys) is None:
            visit.one_of_kind = wanted[visit.id]
            db.session.flush()


def _to_come(patient_id: UUID) -> list[Appointment]:
    return [visit for visit in _visits_of(patient_id) if visit.takes_slot and visit.slot.ends_at > clock.now()]


def _visits_of(patient_id: UUID) -> Sequence[Appointment]:
    """All visits of a patient, by time."""
    rows = select(Appointment).join(Appointment.slot).where(Appointment.patient_id == patient_id)
    return db.session.scalars(rows.order_by(Slot.starts_at, Appointment.id)).all()


def _lock(patient_id: UUID) -> Patient:
    found = db.session.get(Patient, patient_id, with_for_update=True, populate_existing=True)
    if found is None or found.erased_at is not None:
        raise LookupError(patient_id)
    return found
