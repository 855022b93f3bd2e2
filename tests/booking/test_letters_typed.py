"""What a patient or the clinic types, in every letter about a visit."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pydantic import ValidationError
from sqlalchemy import update

from portal.booking import samples
from portal.core.db import db
from portal.scheduling.clinic_file import ClinicEntry
from portal.scheduling.models import Clinic, Location, Provider
from tests.booking.mail import Mail, check_folding, note_for_every_visit, read, write_mails
from tests.conftest import some_of

pytestmark = pytest.mark.usefixtures("app_context")


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


PAYLOADS = [
    "Jane\nBcc: all@example.com",
    "Jane\rBcc: all@example.com",
    "Jane\r\nBcc: all@example.com\r\n\r\n<h1>Hello</h1>",
    "Jane\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Party",
    "Jane\u2028DESCRIPTION:Party",
    "Jane\u2029\x85ATTENDEE:mailto:all@example.com",
    "Jane; X-EVIL=1; ROLE=CHAIR:mailto:all@example.com",
    "Jane, Joe, Jim <all@example.com>",
    "Jane \\n\\N\\; \\, \\",
    'Jane" <all@example.com>, "Joe":x',
    "BEGIN:VEVENT",
    "=?utf-8?q?Jane=0D=0ABcc=3A_all=40example=2Ecom?=",
    ".\r\n.\r\nQUIT",
    "<script>alert(1)</script>{{ 7 * 7 }}",
    "W" * 120,
    "👩‍⚕️" * 30,
    "\u202eenaJ שלום \u2066 مرحبا",
]
# What staff type goes the same ways as what patients do: one of each kind, and all with `make proof`.
OF_STAFF = some_of(PAYLOADS, *PAYLOADS[2:5], PAYLOADS[9], *PAYLOADS[11:14], PAYLOADS[15])


class TestNothingThatSomebodyTyped:
    """Adds a header, a part, a component or a property; nor is anything else broken by it."""

    @pytest.fixture
    def check(self, clock):
        usual = write_mails()

        def check(payload: str) -> None:
            for name, mail in write_mails().items():
                where = f"{name}: {payload!a}"
                assert mail.message.keys() == usual[name].message.keys(), where
                assert mail.message["To"] == usual[name].message["To"], where
                assert list_parts(mail) == list_parts(usual[name]), where
                assert "<script>" not in mail.html, where
                if mail.calendars:
                    assert list_properties(mail) == list_properties(usual[name]), where
                    check_folding(mail)

        return check

    def test_as_a_patients_name_or_note(self, check, monkeypatch):
        for payload in PAYLOADS:
            with monkeypatch.context() as patch:
                patch.setattr(samples, "JANE", replace(samples.JANE, name=payload, note=payload))
                note_for_every_visit(patch, payload)
                check(payload)

    def test_as_an_address_or_the_way_there(self, check):
        for payload in OF_STAFF:
            change(Location, address=payload, directions=payload, name=payload)
            check(payload)

    def test_as_a_clinicians_name(self, check):
        for payload in OF_STAFF:
            change(Provider, name=payload)
            check(payload)

    def test_as_the_clinics_name(self, check):
        for payload in OF_STAFF:
            if not re.search(r"[\r\n]", payload):
                change(Clinic, name=payload, short_name=payload[:40], phone_hours=payload)
                check(payload)

    @pytest.mark.parametrize("name", ["Test\nClinic", "Test\r\nBcc: all@example.com"], ids=ascii)
    def test_a_clinic_has_no_name_of_two_lines(self, name):
        entry = {"name": "Test Clinic", "code": "TST", "phone": "(212) 555-0100", "phone_hours": "always"}
        with pytest.raises(ValidationError):
            ClinicEntry.model_validate({**entry, "short_name": name})


def change(model, **values) -> None:
    db.session.execute(update(model).values(**values))
    db.session.commit()


def list_parts(mail: Mail) -> list[str]:
    return [part.get_content_type() for part in mail.message.walk()]


def list_properties(mail: Mail) -> list[str]:
    """The calendar's properties with the names of their parameters, each with the component it stands in."""
    return [
        " ".join([component.name, name, *sorted(value.params)])
        for component in read(mail).walk()
        for name, value in component.property_items(recursive=False)
        if hasattr(value, "params")
    ]
