"""Store a clinic file: what has a code is made or changed, times of availability are replaced."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select

from portal import audit
from portal.core.db import Base, db, transactional
from portal.referrals.links import save_link
from portal.scheduling.clinic_file import ClinicFile
from portal.scheduling.models import Availability, Clinic, Closure, Location, Provider, VisitType


@transactional
def load_clinic(file: ClinicFile) -> None:
    """Make the database say what the file says. Slots that exist are not touched."""
    db.session.merge(Clinic(id=1, **file.clinic.model_dump()))
    ids: dict[str, dict[str | None, int | None]] = {
        "location": _save_all(Location, file.locations),
        "provider": _save_all(Provider, file.providers),
        "visit_type": _save_all(VisitType, file.visit_types),
    }
    for model, entries in ((Availability, file.availability), (Closure, file.closures)):
        db.session.execute(delete(model))
        for entry in entries:
            values = entry.model_dump()
            for kind in ids.keys() & values.keys():
                values[f"{kind}_id"] = ids[kind][values.pop(kind)]
            db.session.add(model(**values))
    for link in file.referral_links:
        save_link(**link.model_dump())
    audit.services.record("clinic-loaded", "clinic:1", locations=len(file.locations), providers=len(file.providers))


def _save_all(model: Any, entries: list[Any]) -> dict[str | None, int | None]:
    stored: dict[str, Base] = {row.code: row for row in db.session.scalars(select(model))}
    for entry in entries:
        values = entry.model_dump()
        row = stored.setdefault(entry.code, model())
        for name, value in values.items():
            setattr(row, name, value)
        db.session.add(row)
    db.session.flush()
    return {None: None, **{code: row.id for code, row in stored.items()}}  # type: ignore[attr-defined]
