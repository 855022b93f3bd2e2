"""The clinic's name and phone number for every page, even one shown while the database is away.

What was known last is kept in the data folder too, for a process that starts while the database is away.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from portal.config import current_settings
from portal.core.files import write_whole
from portal.core.kept import kept
from portal.core.outage import note_outage, or_without
from portal.scheduling.queries import NoClinic, get_clinic


@dataclass(frozen=True)
class Contact:
    """What a page says about how to reach the clinic."""

    name: str = "Headache clinic"
    short_name: str = "Headache clinic"
    phone: str = ""
    phone_hours: str = ""
    sample: bool = False


FILE = "contact.json"  # in the data folder


def init_app(app: Flask) -> None:
    app.extensions["portal.contact"] = Contact()
    app.context_processor(lambda: {"clinic": get_contact()})


@kept
def get_contact() -> Contact:
    """The clinic's contact; the last one known when the database does not answer."""
    last_known: Contact = current_app.extensions["portal.contact"]
    contact = or_without(_ask, None)
    if contact is None:
        known = last_known if last_known.phone else _read()
        return known if known.phone else _insist()
    if contact != last_known:
        current_app.extensions["portal.contact"] = contact
        _write(contact)
    return contact


def _insist() -> Contact:
    """The contact for a process that knows of none: it asks even in the pause after an outage that others have met."""
    try:
        return _ask() or Contact()
    except SQLAlchemyError:
        note_outage()
        return Contact()


def _ask() -> Contact | None:
    try:
        clinic = get_clinic()
    except NoClinic:
        return None
    return Contact(clinic.name, clinic.short_name, clinic.phone, clinic.phone_hours, clinic.sample)


def _read() -> Contact:
    try:
        return Contact(**json.loads((current_settings().data_dir / FILE).read_text()))
    except (OSError, ValueError, TypeError):  # there is none, or an older portal wrote it
        return Contact()


def _write(contact: Contact) -> None:
    with suppress(OSError):  # a folder that cannot be written to costs only this comfort
        write_whole(current_settings().data_dir / FILE, json.dumps(asdict(contact)).encode())
