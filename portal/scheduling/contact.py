"""The clinic's name and phone number for every page, even one shown while the database is away."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app
from sqlalchemy.exc import SQLAlchemyError

from portal.core.kept import kept
from portal.scheduling.queries import NoClinic, get_clinic


@dataclass(frozen=True)
class Contact:
    """What a page says about how to reach the clinic."""

    name: str = "Headache clinic"
    short_name: str = "Headache clinic"
    phone: str = ""
    phone_hours: str = ""
    sample: bool = False


def init_app(app: Flask) -> None:
    app.extensions["portal.contact"] = Contact()
    app.context_processor(lambda: {"clinic": get_contact()})


@kept
def get_contact() -> Contact:
    """The clinic's contact; the last one known when the database does not answer."""
    try:
        clinic = get_clinic()
    except (NoClinic, SQLAlchemyError):
        last_known: Contact = current_app.extensions["portal.contact"]
        return last_known
    contact = Contact(clinic.name, clinic.short_name, clinic.phone, clinic.phone_hours, clinic.sample)
    current_app.extensions["portal.contact"] = contact
    return contact
