"""All that is stored about one person, in every table, under every record that was found to be theirs.

One list says for each table which rows are a person's, what is exported of them, and what of them is erased. A test
walks the tables: one that can hold something about a patient and is not here does not pass.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, FromClause, Table, Text, and_, or_, select, type_coerce

from portal.booking.contact_hashes import find_email, find_phone
from portal.core import clock
from portal.core.crypto import new_code, new_token, token_hash
from portal.core.db import Base, db
from portal.core.text import search_key
from portal.notifications.statements import FORGOTTEN

ERASED = "(erased)"  # stands where a name stood
NO_BIRTH_DATE = date(1900, 1, 1)
Row = Mapping[str, Any]


@dataclass
class Person:
    """The ids of what is a person's."""

    patients: set[UUID]
    appointments: set[UUID] = field(default_factory=set)
    journeys: set[UUID] = field(default_factory=set)  # all that led to a visit or a request
    own_journeys: set[UUID] = field(default_factory=set)  # those that led to nobody else's visit
    assessments: set[UUID] = field(default_factory=set)
    requests: set[UUID] = field(default_factory=set)
    entries: set[UUID] = field(default_factory=set)
    offers: set[UUID] = field(default_factory=set)
    links: set[UUID] = field(default_factory=set)
    mails: set[int] = field(default_factory=set)

    @property
    def subjects(self) -> list[str]:
        """What the audit trail calls these."""
        named: dict[str, Collection[object]] = {
            "patient": self.patients,
            "appointment": self.appointments,
            "assessment": self.assessments,
            "request": self.requests,
            "journey": self.journeys,
            "mail": self.mails,
        }
        return [f"{kind}:{id_}" for kind, ids in named.items() for id_ in ids]


@dataclass(frozen=True)
class Part:
    """A table with something about people: what it holds, whose rows are whose, and what erasing leaves.

    `erase` says what columns become, by a value, in SQL or by a function of the row; `keep` are those that stay.
    Without either the whole row goes.
    """

    words: str
    where: Callable[[Person, FromClause], ColumnElement[bool]]
    erase: Mapping[str, Any] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()

    @property
    def is_deleted(self) -> bool:
        """Whether erasing takes the whole row away."""
        return not self.keep


def _all_in(column: str, ids: str) -> Callable[[Person, FromClause], ColumnElement[bool]]:
    return lambda person, table: table.c[column].in_(getattr(person, ids))


def _random_reference(_row: Row) -> str:
    return f"X-{new_code(10)}"


def _dead_hash(_row: Row) -> str:
    return token_hash(new_token())


def _without_reasons(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row["before"].items() if name not in {"cancel_reason", "one_of_kind"}}


PARTS: dict[str, Part] = {
    "patient": Part(
        "Who you are and how to reach you",
        _all_in("id", "patients"),
        erase={
            "name": ERASED,
            "name_key": "",
            "date_of_birth": NO_BIRTH_DATE,
            "email": None,
            "phone": "",
            "reach_by": "",
            "erased_at": lambda _row: clock.now(),
            **dict.fromkeys(("email_hash", "mailbox_hash", "phone_hash", "phone_end_hash")),
        },
        keep=frozenset({"id", "created_at", "merged_into_id"}),
    ),
    "appointment": Part(
        "Visits",
        _all_in("id", "appointments"),
        erase={
            "reference": _random_reference,
            "idempotency_key": lambda _row: new_token(),
            "ics_uid": lambda _row: f"{uuid4()}@erased",
            "token": "",
            "token_hash": _dead_hash,
            "link_ended_at": lambda _row: clock.now(),
            "prompt": False,
            "brief_tries": 0,
            "version": lambda row: row["version"] + 1,  # what was done before cannot be undone any more
            **dict.fromkeys(("assessment_id", "journey_id", "one_of_kind", "patient_zone", "lane", "note")),
            "cancel_reason": None,
        },
        keep=frozenset(
            {
                *("id", "slot_id", "visit_type_id", "patient_id", "status", "ics_sequence"),
                *("created_at", "changed_at", "arrived_at", "roomed_at"),
            }
        ),
    ),
    "visit_change": Part(
        "What happened to the visits",
        _all_in("appointment_id", "appointments"),
        erase={"before": _without_reasons},
        keep=frozenset({"id", "appointment_id", "staff_id", "kind", "version", "done_at", "undone_at"}),
    ),
    "visit_note": Part("Notes of the staff on visits", _all_in("appointment_id", "appointments")),
    "patient_merge": Part(
        "Records that were found to be yours",
        lambda person, table: or_(table.c.kept_id.in_(person.patients), table.c.merged_id.in_(person.patients)),
    ),
    "legal_hold": Part("Legal holds", _all_in("patient_id", "patients")),
    "waitlist_entry": Part("The earlier-slot list", _all_in("id", "entries")),
    "offer": Part("Earlier times that were offered", _all_in("id", "offers")),
    "patient_request": Part("What you asked of us, or a practice asked for you", _all_in("id", "requests")),
    "assessment": Part("Answers and results of the headache check", _all_in("id", "assessments")),
    "resume_link": Part("Ways back to a headache check", _all_in("id", "links")),
    "booking_draft": Part("Bookings that were begun", _all_in("journey_id", "own_journeys")),
    "journey": Part(
        "How you came to the portal",
        _all_in("id", "journeys"),
        erase={"booking_referral": None},
        keep=frozenset(
            {
                *("id", "started_at", "day", "link_code", "last_link_code", "article", "source", "reached", "lane"),
                "minutes_to_book",
            }
        ),
    ),
    "milestone": Part(
        "How far you came in the portal",
        _all_in("journey_id", "journeys"),
        keep=frozenset({"id", "journey_id", "kind", "lane", "at"}),
    ),
    "outgoing_mail": Part(
        "Mails to you",
        _all_in("id", "mails"),
        erase=FORGOTTEN,
        keep=frozenset(
            {
                *("id", "kind", "about_id", "sequence", "message_id", "not_before", "due_at", "may_undo", "attempts"),
                *("worker", "lease_until", "queued_at", "sent_at", "looked_at"),
            }
        ),
    ),
    "audit_entry": Part(
        "Who saw and did what",
        lambda person, table: or_(
            table.c.subject.in_(person.subjects),
            and_(table.c.subject == "patients", _names_any(table.c.details, person.patients)),
        ),
        keep=frozenset({"id", "at", "actor", "action", "subject", "screen", "details", "previous", "seal"}),
    ),
}
# Tables with encrypted columns that hold nothing about patients, and why.
NOT_ABOUT_PATIENTS: dict[str, str] = {}


def gather(patient_id: UUID) -> Person:
    """Whatever is this person's, by any of the person's records. Raises LookupError for an unknown one."""
    person = Person(find_records(patient_id))
    visits = _rows("appointment", _table("appointment").c.patient_id.in_(person.patients))
    person.appointments = {visit["id"] for visit in visits}
    person.journeys = {visit["journey_id"] for visit in visits if visit["journey_id"]}
    requests = _requests_of(person)
    person.requests = {request["id"] for request in requests}
    person.journeys |= {request["journey_id"] for request in requests if request["journey_id"]}
    others = _visits_of_others(person)
    person.own_journeys = person.journeys - {visit["journey_id"] for visit in others}
    known = {visit["assessment_id"] for visit in visits if visit["assessment_id"]}
    person.assessments = known | _ids("assessment", "journey_id", person.own_journeys)
    person.assessments -= {visit["assessment_id"] for visit in others}
    person.entries = _ids("waitlist_entry", "appointment_id", person.appointments)
    person.offers = _ids("offer", "entry_id", person.entries)
    person.links = _ids("resume_link", "journey_id", person.own_journeys)
    abouts = person.appointments | person.offers | person.requests | person.links
    person.mails = _ids("outgoing_mail", "about_id", abouts)
    return person


def find_rows(person: Person, name: str) -> list[Row]:
    """The person's rows of a table, decrypted."""
    return _rows(name, PARTS[name].where(person, _table(name)))


def find_records(patient_id: UUID) -> set[UUID]:
    """The record, the one that stands for it, and all that were merged into that one. Raises LookupError."""
    patient = _table("patient")
    root = patient_id
    while True:
        row = db.session.execute(select(patient.c.merged_into_id).where(patient.c.id == root)).first()
        if row is None:
            raise LookupError(patient_id)
        if row[0] is None:
            break
        root = row[0]
    records, newest = {root}, {root}
    while newest:
        newest = _ids("patient", "merged_into_id", newest) - records
        records |= newest
    return records


def _requests_of(person: Person) -> list[Row]:
    """Requests by the name of one of the records, and by a phone, an address or a browser of the person.

    A phone and a browser can be a family's: another name is another person, unless both are the same.
    """
    table = _table("patient_request")
    records = find_rows(person, "patient")
    phones = {hashed for record in records for hashed in find_phone(record["phone"])}
    emails = {hashed for record in records if record["email"] for hashed in find_email(record["email"])}
    alike = (table.c.phone_hash.in_(phones), table.c.email_hash.in_(emails), table.c.journey_id.in_(person.journeys))
    names = {_in_one_line(record["name"]) for record in records}
    return [
        row
        for row in _rows("patient_request", or_(*alike))
        if _in_one_line(row["name"]) in names or (row["phone_hash"] in phones and row["journey_id"] in person.journeys)
    ]


def _in_one_line(name: str) -> str:
    return "".join(search_key(name).split())


def _visits_of_others(person: Person) -> list[Row]:
    visits = _table("appointment")
    return _rows(
        "appointment", and_(visits.c.journey_id.in_(person.journeys), visits.c.patient_id.not_in(person.patients))
    )


def _names_any(details: Any, ids: Iterable[UUID]) -> ColumnElement[bool]:
    return or_(*(type_coerce(details, Text).contains(str(id_)) for id_ in ids))


def _ids(name: str, column: str, among: Collection[object]) -> set[Any]:
    table = _table(name)
    return set(db.session.scalars(select(table.c.id).where(table.c[column].in_(among)))) if among else set()


def _rows(name: str, condition: ColumnElement[bool]) -> list[Row]:
    table = _table(name)
    rows = db.session.execute(select(table).where(condition).order_by(*table.primary_key))
    return [dict(row) for row in rows.mappings()]


def _table(name: str) -> Table:
    return Base.metadata.tables[name]
