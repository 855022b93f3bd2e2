"""Everything about one person as files to hand over: one for programs, one to read, together in a ZIP file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import current_app, render_template
from markupsafe import Markup
from sqlalchemy import select

from portal import audit
from portal.booking.models import Appointment, Patient
from portal.booking.people import read_reference
from portal.booking.person import PARTS, Person, Row, find_rows, gather
from portal.core import clock
from portal.core.db import db, transactional

# What serves the portal itself and would open or link things in the wrong hands: hashes, keys of forms and of links.
SECRET = frozenset(
    {
        *("token", "token_hash", "code_hash", "idempotency_key", "one_of_kind", "name_key", "worker", "lease_until"),
        *("email_hash", "mailbox_hash", "phone_hash", "phone_end_hash", "brief_tries", "previous", "seal"),
    }
)
AS_TABLE = frozenset({"audit_entry", "milestone", "outgoing_mail", "visit_change"})  # many, and each of a few words
Exported = dict[str, list[dict[str, Any]]]


def find_person(text: str) -> UUID | None:
    """The patient of a visit's reference, or of that id; None when there is neither."""
    reference = read_reference(text)
    if reference is not None:
        found = db.session.scalar(select(Appointment.patient_id).where(Appointment.reference == reference))
        if found is not None:
            return found
    try:
        return db.session.scalar(select(Patient.id).where(Patient.id == UUID(text)))
    except ValueError:
        return None


@transactional
def export_person(patient_id: UUID) -> bytes:
    """The ZIP file about whoever that record belongs to; noted in the audit trail. Raises LookupError."""
    person = gather(patient_id)
    exported = {name: [_tidy(name, row) for row in find_rows(person, name)] for name in PARTS}
    _name_visits(person, exported)
    audit.services.record("person-exported", f"patient:{patient_id}", rows=sum(len(rows) for rows in exported.values()))
    about = {"made_at": clock.now().isoformat(), "records": sorted(map(str, person.patients))}
    return _zip(
        {
            "person.json": json.dumps({**about, "tables": exported}, indent=1, ensure_ascii=False),
            "person.html": render_template(
                "person/record.html",
                parts=[(PARTS[name].words, name in AS_TABLE, rows) for name, rows in exported.items()],
                style=_style(),
                made_at=clock.now(),
            ),
        }
    )


def _tidy(name: str, row: Row) -> dict[str, Any]:
    """A row as it is handed over: readable, without what is the portal's own."""
    kept = {column: value for column, value in row.items() if column not in SECRET}
    if name == "resume_link":
        kept["mailed_to"] = kept.pop("secrets")["email"]
    if name == "visit_change":
        kept["before"] = {key: value for key, value in kept["before"].items() if key not in SECRET}
    return {column: _plain(value) for column, value in kept.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def _name_visits(person: Person, exported: Exported) -> None:
    """When, where and with whom each visit is: in the tables of the diary, which are nobody's."""
    visits = {
        str(visit.id): visit
        for visit in db.session.scalars(select(Appointment).where(Appointment.id.in_(person.appointments)))
    }
    for row in exported["appointment"]:
        visit = visits[row["id"]]
        slot = visit.slot
        row["starts_at"] = slot.starts_at.astimezone(slot.location.zone).isoformat()
        row["visit_type"], row["place"], row["clinician"] = (
            visit.visit_type.name,
            slot.location.name,
            slot.provider.name,
        )


def _style() -> Markup:
    """The file is opened from a folder, far from any server: it brings its look along."""
    css = (Path(str(current_app.static_folder)) / "css" / "record.css").read_text()
    return Markup(f"<style>{css}</style>")  # noqa: S704 - our own file


def _zip(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def list_subjects(patient_id: UUID) -> Sequence[str]:
    """What the audit trail calls what is about that patient. Raises LookupError."""
    return gather(patient_id).subjects
