"""The clinic in the vocabulary of schema.org, for search engines and maps."""

from __future__ import annotations

from typing import Any

from portal.config import current_settings
from portal.scheduling.contact import Contact
from portal.scheduling.models import Location, Provider


def describe_clinic(contact: Contact, locations: list[Location], providers: list[Provider]) -> dict[str, Any]:
    """The clinic as MedicalClinic, with its places and the people who work there."""
    address = current_settings().address
    return {
        "@context": "https://schema.org",
        "@type": "MedicalClinic",
        "@id": f"{address}/#clinic",
        "name": contact.name,
        "url": f"{address}/",
        "telephone": contact.phone,
        "medicalSpecialty": "Neurologic",
        "location": [
            {"@type": "Place", "name": place.name, "address": ", ".join(place.address.strip().splitlines())}
            for place in locations
        ],
        "employee": [
            {"@type": "Person", "name": person.name, "jobTitle": person.role, "knowsLanguage": person.languages}
            for person in providers
        ],
    }
