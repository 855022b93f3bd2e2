"""Each page about one visit: by its link, by the browser that opened the link, and by everybody else."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.booking.models import Appointment, Status
from portal.core.db import db
from tests.access.routes import list_actions
from tests.access.world import World
from tests.visitor import Visitor


def pages_of(world: World, key: str):
    return [action for action in list_actions(world.app, key=key) if action.endpoint.startswith("visit.")]


def ask(person: Visitor, action, **values) -> tuple[int, bytes]:
    """Status and page, without what is new in each answer."""
    data = None
    if action.method == "POST":
        person.open("/request/call-back")
        data = {"csrf_token": person.page.form.values["csrf_token"], **values}
    with person.client.open(action.address, method=action.method, data=data) as response:
        return response.status_code, re.sub(rb'[0-9A-F]{8}\.</p>|value="[^"]{60,}"', b"", response.data)


def test_the_browser_that_opened_a_link_sees_its_visit_by_reference(world):
    for letter in "AB":
        for action in pages_of(world, world.links[f"reference of {letter}"]):
            status, _ = ask(world.people[f"patient {letter}"], action)
            assert status in {200, 303, 409, 422}, action
            world.restore()


def test_whoever_holds_the_link_sees_it_too_in_any_browser(world):
    for action in pages_of(world, world.links["A"]):
        assert ask(Visitor(world.app), action)[0] in {200, 303, 409, 422}, action
        world.restore()


@pytest.mark.parametrize("asking", ["nobody", "patient A", "patient C", "front desk", "manager", "disabled"])
def test_a_foreign_visit_and_one_that_is_not_there_are_the_same_404_and_nothing_changes(world, asking):
    before, person = world.dump(), world.people[asking]
    missing = {(a.endpoint, a.method): a for a in pages_of(world, "TST-2222-22")}
    for action in pages_of(world, world.links["reference of B"]):
        answer = ask(person, action, choice="time", confirmed="yes", slot="1", leave="1")
        assert answer[0] == 404, action
        assert answer == ask(person, missing[action.endpoint, action.method]), action
    assert world.dump() == before


def test_a_browser_sees_a_visit_for_an_hour_and_no_longer(world, clock):
    person, path = world.people["patient A"], f"/visit/{world.links['reference of A']}"
    assert person.open(path).status == 200
    clock.shift(61 * 60)
    assert person.open(path).status == 404


@pytest.mark.parametrize("wanted", ["move", "cancel", "attack", "earlier"])
def test_the_link_of_a_cancelled_visit_shows_that_and_changes_nothing_but_back(world, wanted):
    person, before = Visitor(world.app), world.dump()
    assert person.open(f"/visit/{world.links['C']}").outcome == "cancelled"
    person.open(f"/visit/{world.links['C']}/{wanted}")
    assert person.page.outcome == "cancelled"
    for action in pages_of(world, world.links["C"]):
        if action.method == "POST" and action.address.endswith(wanted):
            ask(person, action, choice="time", confirmed="yes", slot="1")
    assert world.dump() == before


def test_a_key_opens_what_it_is_for_and_nothing_else(world):
    doors = {"A": "/visit/{}", "offer": "/waitlist/{}", "resume": "/assessment/resume/{}", "feed": "/calendars/{}.ics",
             "welcome": "/desk/welcome/{}"}  # fmt: skip
    for name, key in world.links.items():
        for fits, door in doors.items():
            status = Visitor(world.app).client.get(door.format(key)).status_code
            same_kind = name == fits or (name in {"B", "C"} and fits == "A")
            assert status == (404 if not same_kind else 303 if fits == "A" else 200), (name, door)


NEARLY = [
    str.swapcase,
    str.upper,
    *(lambda key, part=part: part.format(key[:-1], key) for part in ("{0}", "{1}A", " {1}", "{0}%00")),
]


@pytest.mark.parametrize("change", NEARLY, ids=range(6))
def test_a_key_that_is_nearly_right_opens_nothing(world, change):
    for name, door in (("A", "/visit/{}"), ("offer", "/waitlist/{}"), ("feed", "/calendars/{}.ics")):
        assert Visitor(world.app).client.get(door.format(change(world.links[name]))).status_code == 404


def test_keys_are_long_and_random_and_stored_only_as_hashes_or_encrypted(world):
    for name in ("A", "B", "C", "offer", "feed", "resume"):
        assert len(world.links[name]) >= 22  # 128 bits and more
    content = world.file.read_bytes()
    for name in ("A", "B", "C", "offer", "feed", "resume"):
        assert world.links[name].encode() not in content


def test_what_one_browser_did_another_does_not_see(world):
    mine, other = world.people["patient A"], Visitor(world.app)
    for path in ("/assessment/result", "/assessment/result/brief", "/book/confirmed"):
        seen, unseen = mine.open(path), other.open(path)
        assert (seen.status, seen.path) == (200, path)
        assert unseen.status == 404 or unseen.path != path


class TestWhatABodySays:
    def test_fields_that_no_form_has_change_nothing(self, world):
        person = Visitor(world.app)
        person.pass_safety()
        foreign = {name: str(world.foreign[name]) for name in ("patient_id", "appointment_id", "provider_id")}
        foreign |= {"status": "fulfilled", "lane": "emergency", "prompt": "1", "id": "1"}
        foreign |= {"token": "guessed", "reference": "TST-AAAA-22", "journey_id": str(UUID(int=0))}
        person.hold()
        person.fill_in(**foreign)
        page = person.send(**foreign)
        assert page.outcome == "booked"
        with world.app.app_context():
            made = db.session.scalars(select(Appointment).where(Appointment.reference == page.reference)).one()
            assert made.patient_id != world.foreign["patient_id"]
            assert (made.status, made.prompt, made.lane) == (Status.BOOKED, False, "consult")
            assert made.patient.name == "Jane Doe"

    def test_a_clinician_acts_on_the_visit_of_the_address_whatever_else_is_named(self, world):
        before = world.dump()["appointment"]
        for field in ("appointment_id", "id", "provider_id", "staff_id", "change_id"):
            for value in (world.own["appointment_id"], world.own["provider_id"]):
                token = world.people["Ada"].open("/desk/find").form.values["csrf_token"]
                for action in ("status", "note"):
                    response = world.people["Ada"].client.post(
                        f"/desk/visit/{world.foreign['appointment_id']}/{action}",
                        data={
                            "csrf_token": token,
                            field: str(value),
                            "status": "fulfilled",
                            "version": "2",
                            "words": "x",
                        },
                    )
                    assert response.status_code == 404
        assert world.dump()["appointment"] == before

    def test_the_diary_asked_for_by_number_is_a_clinicians_own(self, world):
        for day in ("2026-11-23", "2026-11-24"):
            for path in (f"/desk/day/{day}", f"/desk/week/{day}", f"/desk/day/{day}/sheet"):
                for query in ("", f"?clinician={world.own['provider_id']}", "?clinician=0", "?clinician=", "?by=place"):
                    page = world.people["Ben"].open(path + query)
                    assert "Patient A" not in page.text, (path, query)
                    assert page.status in {200, 404}
        assert "Patient B" in world.people["Ben"].open("/desk/day/2026-11-24").text

    def test_what_is_found_is_of_the_own_patients_and_never_a_whole_list(self, world):
        for text in ("Patient", "patient A", "a@example.com", "0191", world.links["reference of A"], "%", "_", "*", ""):
            world.people["Ben"].open("/desk/find")
            assert "Patient A" not in world.people["Ben"].send(q=text).text, text
        world.people["front desk"].open("/desk/find")
        assert "Patient B" not in world.people["front desk"].send(q="%").text

    def test_a_manager_gives_a_colleague_no_password_and_no_second_factor(self, world):
        manager, user_id = world.people["manager"], world.own["user_id"]
        before = world.dump()["staff_user"]
        page = manager.open(f"/desk/staff/{user_id}")
        form = next(form for form in page.forms if form.action == f"/desk/staff/{user_id}")
        manager.send(form, password="chosen-by-somebody", active="0", fs_uniquifier="known", tf_totp_secret="known",
                     email="mine@evil.example", id="1")  # fmt: skip
        assert world.dump()["staff_user"] == before
