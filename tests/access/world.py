"""A portal with one of everything in it, and everybody who could ask for it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import time_machine
from flask import Flask
from sqlalchemy import select, text

from portal import create_app
from portal.accounts import invitations, roster
from portal.accounts.models import User
from portal.accounts.services import StaffRole, add_staff, disable_staff
from portal.assessment.models import ResumeLink
from portal.assessment.services import send_resume_link
from portal.booking import desk, feed, patients
from portal.booking.models import Appointment, Offer, PatientRequest, VisitChange, WaitlistEntry
from portal.booking.people import get_patient
from portal.config import Settings
from portal.core import clock
from portal.core.db import Base, db, transactional
from portal.notifications.models import OutgoingMail
from portal.scheduling.models import Availability, Closure, Provider
from tests.assessment.test_walk import NECK
from tests.beginnings import clear_away, let_go
from tests.booking.conftest import Diary
from tests.conftest import NOW, with_quick_hashes
from tests.visitor import Visitor

# What every look at a page may add to, and no look or refused request may change otherwise.
NOTES = {"audit_entry", "hit_count", "milestone", "journey", "touch"}


@dataclass
class World:
    """Whoever uses the portal, and the values that stand in addresses."""

    app: Flask
    people: dict[str, Visitor] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)  # of patient A and the clinician Ada
    foreign: dict[str, Any] = field(default_factory=dict)  # of patient B and the clinician Ben
    links: dict[str, str] = field(default_factory=dict)  # the secrets, by whose they are

    @property
    def file(self) -> Any:
        return self.app.config["PORTAL"].data_dir / "portal.db"

    def keys(self, visit: str = "A") -> dict[str, str]:
        """What stands in the addresses that are keys."""
        names = {"waitlist.token": "offer", "resume.token": "resume", "interop.token": "feed", "token": "welcome"}
        return {**{name: self.links[link] for name, link in names.items()}, "key": self.links[visit]}

    def keep(self) -> None:
        """Remember how everything stands now, to come back to."""
        self.tokens = {
            name: person.open("/desk/find").form.values["csrf_token"] for name, person in self.people.items()
        }
        let_go(self.app)
        shutil.copyfile(self.file, self.file.with_name("kept.db"))
        self._browsers = {name: person.remember() for name, person in self.people.items()}

    def restore(self) -> None:
        """Let everything stand as it was kept."""
        let_go(self.app)
        clear_away(self.file.parent)
        shutil.copyfile(self.file.with_name("kept.db"), self.file)
        for name, person in self.people.items():
            person.be_as(self._browsers[name])

    def dump(self) -> dict[str, str]:
        """Each table's content in short, but for what every look may add to."""
        with self.app.app_context(), db.engine.connect() as connection:
            return {
                table.name: hashlib.sha256(
                    repr(connection.execute(text(f'SELECT * FROM "{table.name}"')).all()).encode()
                ).hexdigest()
                for table in Base.metadata.sorted_tables
                if table.name not in NOTES
            }


@contextmanager
def build_world(settings: Settings) -> Iterator[World]:
    """One of everything; on SQLite it can be kept and restored."""
    app = with_quick_hashes(create_app(settings))
    app.config["LIMITS_TIMES"] = 1000  # one address stands for a whole town
    world = World(app)
    with time_machine.travel(NOW, tick=False):
        _add_patients(world)
        with app.app_context():
            _add_for_the_desk(world)
        _add_staff(world)
    yield world
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def _add_patients(world: World) -> None:
    """A came by the assessment and waits for an earlier time, which is offered; B booked a call; C cancelled."""
    diary = Diary(world.app)
    walls = {"A": ("2026-11-23 10:00", "new"), "B": ("2026-11-24 13:00", "call"), "C": ("2026-11-20 09:00", "new")}
    for letter, (wall, code) in walls.items():
        person = world.people[f"patient {letter}"] = Visitor(world.app)
        person.finish(**NECK)
        details = {
            "name": f"Patient {letter}",
            "email": f"{letter.lower()}@example.com",
            "phone": f"212 555 019{ord(letter) - 64}",
        }
        page = person.book(diary.slot_at(wall, code), **details)
        assert page.outcome == "booked", page.text
        world.links[letter] = diary.token(page.reference)
        world.links[f"reference of {letter}"] = page.reference
        person.open(f"/visit/{world.links[letter]}")
    waiting = world.people["patient A"]
    waiting.open(f"/visit/{world.links['A']}/earlier")
    waiting.send()
    leaving = world.people["patient C"]
    leaving.open(f"/visit/{world.links['C']}/cancel")
    leaving.send(choice="time")
    assert leaving.send(confirmed="yes").outcome == "cancelled"
    asking = world.people["nobody"] = Visitor(world.app)
    asking.open("/request/call-back")
    asking.send(name="Patient D", phone="212 555 0188")


def _add_for_the_desk(world: World) -> None:
    diary = Diary(world.app)
    visits = {letter: _visit(world.links[f"reference of {letter}"]) for letter in "ABC"}
    providers = {provider.code: provider.id for provider in db.session.scalars(select(Provider))}
    add_staff("helper@clinic.example", "Helper", StaffRole.FRONT_DESK)
    helper = _user("helper@clinic.example")
    assert (visits["A"].slot.provider_id, visits["B"].slot.provider_id) == (providers["ada"], providers["ben"])
    moved = {"A": ("2026-11-23 11:00", "new"), "B": ("2026-11-24 13:30", "call")}
    for letter, values in (("A", world.own), ("B", world.foreign)):
        visit, later = visits[letter], moved[letter]
        desk.move(visit.id, visit.version, int(diary.slot_at(*later)), helper.id)
        values |= {
            "appointment_id": visit.id,
            "patient_id": visit.patient_id,
            "assessment_id": visit.assessment_id,
            "change_id": db.session.scalar(select(VisitChange.id).where(VisitChange.appointment_id == visit.id)),
            "provider_id": visit.slot.provider_id,
        }
    offer = db.session.scalars(select(Offer)).one()
    world.links |= {"offer": offer.token, "feed": feed.renew(providers["ada"])}
    journey_id = visits["B"].journey_id
    assert journey_id is not None
    send_resume_link(journey_id, "b@example.com", "a form")
    world.links["resume"] = db.session.scalars(select(ResumeLink)).one().secrets["token"]
    invitation = "invited@clinic.example"
    roster.invite(invitation, "Invited", StaffRole.FRONT_DESK, None)
    world.links["welcome"] = invitations.sign(_user(invitation), clock.now())[0]
    contact = {name: getattr(get_patient(visits["B"].patient_id), name) for name in ("name", "email", "phone")}
    merge = patients.merge(visits["B"].patient_id, visits["C"].patient_id, contact, helper.id)
    db.session.expire_all()
    world.own |= {
        "user_id": _user(invitation).id,
        "other_id": visits["B"].patient_id,
        "merge_id": merge.id,
        "request_id": db.session.scalar(select(PatientRequest.id)),
        "mail_id": db.session.scalar(select(OutgoingMail.id)),
        "availability_id": db.session.scalar(select(Availability.id)),
        "closure_id": db.session.scalar(select(Closure.id)),
        "entry_id": db.session.scalar(select(WaitlistEntry.id)),
        "slot_id": offer.slot_id,
        "code": "leaflet",
        "setup.code": "east",
    }


def _add_staff(world: World) -> None:
    roles = {
        "front desk": StaffRole.FRONT_DESK,
        "manager": StaffRole.MANAGER,
        "Ada": StaffRole.CLINICIAN,
        "Ben": StaffRole.CLINICIAN,
        "disabled": StaffRole.MANAGER,
    }
    for name, role in roles.items():
        email = f"{name.replace(' ', '-').lower()}@clinic.example"
        with world.app.app_context():
            password = add_staff(email, name, role)
            _show_diary(email, world.own if name == "Ada" else world.foreign, role)
        person = world.people[name] = Visitor(world.app)
        person.sign_in(email, password)
        assert person.open("/desk/").path.startswith("/desk/day/"), name
    with world.app.app_context():
        disable_staff("disabled@clinic.example")


@transactional
def _show_diary(email: str, values: dict[str, Any], role: StaffRole) -> None:
    if role == StaffRole.CLINICIAN:
        _user(email).provider_id = values["provider_id"]


def _user(email: str) -> User:
    return db.session.scalars(select(User).where(User.email == email)).one()


def _visit(reference: str) -> Appointment:
    return db.session.scalars(select(Appointment).where(Appointment.reference == reference)).one()
