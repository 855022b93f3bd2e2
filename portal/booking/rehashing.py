"""Which keyed hashes patients, visits and requests should have now, for `flask keys rotate`."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import defer, joinedload

from portal.booking.contact_hashes import hash_contact
from portal.booking.models import Appointment, Patient, PatientRequest
from portal.booking.queries import find_one_of_kind
from portal.booking.services import one_of_kind_key
from portal.core import keys


def init_app() -> None:
    keys.rehash_with(Patient, _hashes_of_patient)
    keys.rehash_with(PatientRequest, _hashes_of_request)
    visits = select(Appointment).where(Appointment.one_of_kind.is_not(None))
    of_whom = (joinedload(Appointment.patient), joinedload(Appointment.visit_type))
    keys.rehash_with(
        Appointment, _key_of_visit, visits.options(*of_whom, defer(Appointment.note), defer(Appointment.token))
    )


def _hashes_of_patient(patient: Patient) -> dict[str, str | None]:
    return hash_contact(email=patient.email, phone=patient.phone)


def _hashes_of_request(request: PatientRequest) -> dict[str, str | None]:
    hashes = hash_contact(email=request.email, phone=request.phone)
    return {name: hashes[name] for name in ("email_hash", "phone_hash")}


def _key_of_visit(visit: Appointment) -> dict[str, str | None]:
    key = one_of_kind_key(visit.patient, visit.visit_type.kind)
    same = find_one_of_kind([key]) if key != visit.one_of_kind else None
    return {
        "one_of_kind": key if same is None else None
    }  # two at once, by processes with different keys: one goes without
