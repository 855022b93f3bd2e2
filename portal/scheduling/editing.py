"""The clinic's set-up, edited piece by piece by the rules of the clinic file; the diary follows at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import select

from portal import audit
from portal.core import clock
from portal.core.db import db, insert_once, transactional
from portal.core.edits import ChangedMeanwhile, Values, check_unchanged, find_changes
from portal.scheduling.clinic_file import ClinicEntry, LocationEntry, ProviderEntry, VisitTypeEntry
from portal.scheduling.models import Clinic, Location, Provider, Slot, VisitType
from portal.scheduling.queries import get_clinic
from portal.scheduling.remake import Changes, open_slots

SetupEntry = ClinicEntry | LocationEntry | ProviderEntry | VisitTypeEntry
SetupRow = Clinic | Location | Provider | VisitType

MODELS: dict[type[SetupEntry], type[SetupRow]] = {
    ClinicEntry: Clinic,
    LocationEntry: Location,
    ProviderEntry: Provider,
    VisitTypeEntry: VisitType,
}
ENTRIES = {model: entry for entry, model in MODELS.items()}
SHAPES_DIARY = frozenset({"horizon_weeks", "zone_key", "minutes", "buffer_before", "buffer_after", "active"})
PRIVATE = frozenset({"email"})  # of these the trail says only that they changed


class CodeTaken(ValueError):
    """There is one with that code already."""


def read_values(row: SetupRow) -> Values:
    """What can be edited of a row, by the names of the clinic file."""
    values: Values = to_jsonable_python({name: getattr(row, name) for name in ENTRIES[type(row)].model_fields})
    return values


def list_rows(model: type[SetupRow]) -> Sequence[Any]:
    """All of a kind by name, those in use first."""
    return db.session.scalars(select(model).order_by(model.active.desc(), model.name)).all()  # type: ignore[union-attr]


def find_row(model: type[SetupRow], code: str) -> Any | None:
    """The one of a kind with that code."""
    return db.session.scalar(select(model).where(model.code == code)) if code.isprintable() else None


def shapes_diary(entry: SetupEntry, seen: Values | None) -> bool:
    """Whether storing that may open or withdraw times."""
    return seen is not None and not SHAPES_DIARY.isdisjoint(find_changes(seen, entry.model_dump(mode="json")))


@transactional
def save_entry(entry: SetupEntry, seen: Values | None) -> Changes:
    """Store what is new (nothing was seen of it) or changed, and make the diary fit.

    Raises CodeTaken, ChangedMeanwhile, LookupError where what was seen is gone, and NoClinic before there is a clinic
    to add to.
    """
    row = _find_for_change(entry)
    if seen is None:
        _refuse_second(entry, row)
        row = _add(entry)
        audit.services.record("setup-added", _subject(row))
        return Changes()
    if row is None:
        raise LookupError(entry.code)
    stored = read_values(row)
    check_unchanged(seen, stored)
    changed = find_changes(stored, entry.model_dump(mode="json"))
    if not changed:
        return Changes()
    for name, value in entry.model_dump().items():
        setattr(row, name, value)
    db.session.flush()
    audit.services.record("setup-changed", _subject(row), changes=_without_private(changed))
    if "zone_key" in changed:
        _read_clocks_anew(row)
    return open_slots() if SHAPES_DIARY & changed.keys() else Changes()


def _find_for_change(entry: SetupEntry) -> SetupRow | None:
    model: Any = MODELS[type(entry)]
    if model is not Clinic:
        get_clinic()
    # One at a time: two managers must not add the same code.
    clinic = db.session.get(Clinic, 1, with_for_update=True, populate_existing=True)
    if model is Clinic:
        return clinic
    query = select(model).where(model.code == entry.code).execution_options(populate_existing=True)
    row: SetupRow | None = db.session.scalar(query)
    return row


def _refuse_second(entry: SetupEntry, row: SetupRow | None) -> None:
    if isinstance(row, Clinic):
        raise ChangedMeanwhile(read_values(row))
    if row is not None:
        raise CodeTaken(entry.code)


def _add(entry: SetupEntry) -> SetupRow:
    if isinstance(entry, ClinicEntry):
        inserted = insert_once(Clinic, id=1, **entry.model_dump())  # there was no row yet to lock
        clinic = get_clinic()
        if not inserted:
            raise ChangedMeanwhile(read_values(clinic))
        return clinic
    row = MODELS[type(entry)](**entry.model_dump())
    db.session.add(row)
    db.session.flush()
    return row


def _read_clocks_anew(location: Any) -> None:
    """What a place's clocks show at its times to come, once these are those of another zone."""
    for slot in db.session.scalars(select(Slot).where(Slot.location_id == location.id, Slot.ends_at > clock.now())):
        wall = slot.starts_at.astimezone(location.zone)
        slot.day, slot.begins = wall.date(), wall.time()
    db.session.flush()


def _without_private(changed: dict[str, list[Any]]) -> dict[str, list[Any] | None]:
    return {name: None if name in PRIVATE else change for name, change in changed.items()}


def _subject(row: SetupRow) -> str:
    return f"{row.__tablename__}:{row.id}"
