"""Patients at the desk: found by whatever a caller says, never listed, merged and parted again."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.booking.erasure import erase
from portal.booking.models import Appointment, Patient, PatientMerge
from portal.booking.people import find_patients
from portal.core.db import db
from portal.scheduling.models import Slot


def form_to(person, action):
    """The form of the page that goes there."""
    return next(form for form in person.page.forms if form.action == action)


@pytest.fixture
def find(app):
    """The names of whom a text finds."""

    def find(text, **options):
        with app.app_context():
            return [match.patient.name for match in find_patients(text, **options)]

    return find


@pytest.fixture
def jose(book):
    """José García-López, born 5/17/1980, with a visit on Friday; the reference of it."""
    _, reference = book("2026-11-20 09:00", name="José García-López", email="jose@example.com", phone="212 555 0177")
    return reference


@pytest.mark.parametrize(
    "text",
    [
        "jose",
        "garcia",
        "Lopez José",
        "Garc, j",
        "García 5/17/1980",
        "0177",
        "(212) 555-0177",
        "+1 212.555.0177",
        "212 555 0177",
        "JOSE@exam",
        "jos",
        "5/17/1980",
        "1980-05-17",
        "05171980",
    ],
)
def test_a_caller_is_found_by_whatever_is_said_first(find, jose, text):
    assert find(text) == ["José García-López"]


@pytest.mark.parametrize("text", ["o'brien", "O’Brien", "brien", "arcy siobhan"])
def test_a_name_is_found_whichever_apostrophe_was_typed(find, book, text):
    book("2026-11-20 09:00", name="Siobhán O’Brien-D’Arcy")
    assert find(text) == ["Siobhán O’Brien-D’Arcy"]


@pytest.mark.parametrize("written", ["{}", "{:l}", "{:n}", "{:s}", " {:b} "])
def test_a_reference_is_found_however_it_is_written(find, jose, written):
    ways = {
        "{}": jose,
        "{:l}": jose.lower(),
        "{:n}": jose.replace("-", ""),
        "{:s}": jose.removeprefix("TST-"),
        " {:b} ": f" {jose.removeprefix('TST-').replace('-', '').lower()} ",
    }
    assert find(ways[written]) == ["José García-López"]


@pytest.mark.parametrize(
    "text", ["", "jo", "a b", "177", "%%%", "___", "12%", "maria", "5/18/1980", "garcia 5/18/1980"]
)
def test_too_little_or_something_else_finds_nobody(find, jose, text):
    assert find(text) == []


def test_typing_never_lists_more_than_a_few(find, book):
    for hour in (9, 10, 11, 12):
        book(f"2026-11-20 {hour:02}:00")
    assert len(find("person", limit=3)) == 3
    assert len(find("number person")) == 4


def test_a_match_comes_with_the_visit_asked_for_else_the_next(app, book):
    _, first = book("2026-11-20 09:00")
    with app.app_context():
        (match,) = find_patients("number 1")
        assert (match.visit.reference, match.is_to_come) == (first, True)
        (match,) = find_patients(first)
        assert match.visit.reference == first


class TestPage:
    @pytest.fixture
    def page(self, desk, jose, diary):
        """The page of José García-López."""
        self.reference = jose
        return f"/desk/patients/{diary.scalar(select(Patient.id))}"

    def test_it_shows_the_visits_and_ways_to_call(self, desk, page):
        shown = desk.open(page)
        assert self.reference in shown.text
        assert "tel:+12125550177" in shown.links
        assert shown.response.headers["Cache-Control"] == "no-store"

    def test_contact_is_corrected_and_the_trail_names_the_fields_only(self, desk, page, diary):
        desk.open(page)
        desk.send(form_to(desk, page), phone="646 555 0100", reach_by="text")
        patient = diary.scalar(select(Patient))
        assert (patient.phone, patient.reach_by) == ("+16465550100", "text")
        entry = diary.scalar(select(AuditEntry).where(AuditEntry.action == "contact-changed"))
        assert entry.details == {"fields": ["phone", "reach_by"]}

    def test_what_cannot_be_is_said_and_nothing_is_lost(self, desk, page):
        desk.open(page)
        shown = desk.send(form_to(desk, page), phone="12", name="José")
        assert (shown.status, len(shown.errors)) == (422, 1)
        assert 'value="José"' in shown.text

    def test_another_address_still_knows_a_second_visit_of_the_kind(self, desk, page, diary, visitor):
        desk.open(page)
        desk.send(form_to(desk, page), email="new@example.com", reach_by="call")
        visitor.pass_safety()
        name = {"name": "José García-López", "email": "new@example.com"}
        assert visitor.book(diary.slot_at("2026-11-23 09:00"), **name).outcome == "limited"

    def test_two_people_at_one_patient_lose_nothing(self, desk, page, diary, staff):
        manager = staff(StaffRole.MANAGER)
        for person in (desk, manager):
            person.open(page)
        desk.send(form_to(desk, page), email="new@example.com")
        shown = manager.send(form_to(manager, page), phone="646 555 0100")
        assert shown.status == 409
        assert "Somebody else changed this" in shown.text
        assert form_to(manager, page).values["email"] == ["new@example.com"]
        assert manager.send(form_to(manager, page)).status == 200
        patient = diary.scalar(select(Patient))
        assert (patient.email, patient.phone) == ("new@example.com", "+16465550100")

    def test_somebody_else_and_nobody_are_missing_pages(self, desk, page):
        nobody = "00000000-0000-0000-0000-000000000000"
        assert desk.open(f"/desk/patients/{nobody}").status == 404
        assert desk.open(f"{page}/merge/{nobody}").status == 404


class TestAddressThatDidNotArrive:
    @pytest.fixture
    def correct(self, desk, diary, book):
        """Jane booked with a slip in her address, heard nothing, and booked again; the desk corrects the first."""
        _, reference = book("2026-11-20 09:00", name="Jane Doe", email="jane@exmaple.com")
        book("2026-11-23 09:00", name="Jane Doe", email="jane@example.com", phone="646 555 0100")
        about = Appointment.reference == reference
        self.visit_id, self.patient_id = (
            diary.scalar(select(id_).where(about)) for id_ in (Appointment.id, Appointment.patient_id)
        )

        def correct():
            form = next(form for form in desk.page.forms if form.action == f"/desk/visit/{self.visit_id}/address")
            return desk.send(form, email="jane@example.com")

        desk.open(f"/desk/visit/{self.visit_id}")
        return correct

    def test_it_is_corrected_though_the_person_has_another_visit_under_the_right_one(self, correct, diary):
        assert correct().status == 200
        assert diary.scalar(select(Patient).where(Patient.id == self.patient_id)).email == "jane@example.com"

    def test_nothing_is_written_to_a_record_that_was_erased_in_the_meantime(self, correct, diary, desk, at):
        at("2026-12-10 09:00", desk)
        desk.open(f"/desk/visit/{self.visit_id}")
        with desk.client.application.app_context():
            erase(self.patient_id, "asked")
        assert correct().status == 404
        assert diary.scalar(select(Patient).where(Patient.id == self.patient_id)).email is None


class TestMerge:
    @pytest.fixture
    def two(self, book, diary):
        """Two records of one person, each with a first consult to come; their ids."""
        book("2026-11-20 09:00", name="Jane Doe", email="jane@example.com")
        book("2026-11-23 09:00", name="Jane M Doe", email="jd@example.com", phone="646 555 0100")
        return [diary.scalar(select(Patient.id).where(Patient.name == name)) for name in ("Jane Doe", "Jane M Doe")]

    def merge(self, desk, kept, merged, **chosen):
        desk.open(f"/desk/patients/{kept}/merge/{merged}")
        return desk.send(next(form for form in desk.page.forms if "name" in form.choices), **chosen)

    def owners(self, diary):
        return diary.all(select(Appointment.patient_id).join(Appointment.slot).order_by(Slot.starts_at))

    def test_a_likely_duplicate_leads_to_a_preview_that_changes_nothing(self, desk, two, diary):
        page = desk.open(f"/desk/patients/{two[0]}")
        page = desk.open(page.link("/merge/"))
        assert "Two visits of one kind to come" in page.text
        assert "Phone call" in page.text
        assert self.owners(diary) == two

    def test_a_clinician_is_shown_nobody_who_may_be_the_same_as_an_own_patient(self, staff, two, diary):
        clinician = staff(StaffRole.CLINICIAN)
        visit = diary.scalar(select(Appointment).where(Appointment.patient_id == two[0]))
        with clinician.client.application.app_context():
            user = db.session.scalars(select(User).where(User.email == "clinician@clinic.example")).one()
            user.provider_id = db.session.get_one(Slot, visit.slot_id).provider_id
            db.session.commit()
        page = clinician.open(f"/desk/visit/{visit.id}")
        assert (page.status, "May be the same person" in page.text) == (200, False)

    def test_visits_move_contact_is_as_chosen_and_the_other_is_not_listed(self, desk, two, diary, find):
        page = self.merge(desk, *two, phone="merged")
        assert page.path == f"/desk/patients/{two[0]}"
        assert "Undo this merge" in page.text
        assert self.owners(diary) == [two[0]] * 2
        keys = diary.all(select(Appointment.one_of_kind).join(Appointment.slot).order_by(Slot.starts_at))
        assert [key is not None for key in keys] == [True, False]  # one active visit of a kind; both are kept
        assert find("jane") == ["Jane Doe"]
        assert diary.scalar(select(Patient.phone).where(Patient.id == two[0])) == "+16465550100"
        assert desk.open(f"/desk/patients/{two[1]}").path == f"/desk/patients/{two[0]}"

    def test_undone_each_has_its_own_again_and_what_was_booked_since_stays(self, desk, two, diary):
        before = sorted(diary.all(select(Appointment.one_of_kind)))
        page = self.merge(desk, *two, phone="merged")
        desk.open(f"/desk/book?patient={two[0]}&slot={diary.slot_at('2026-11-23 13:00', 'follow-up')}")
        desk.send(form_to(desk, "/desk/book"), step="book", red_flags_now="none")
        desk.open(f"/desk/patients/{two[0]}")
        page = desk.send(next(form for form in desk.page.forms if "/undo-merge/" in form.action))
        assert "Undo this merge" not in page.text
        assert self.owners(diary) == [two[0], two[1], two[0]]
        assert set(before) <= set(diary.all(select(Appointment.one_of_kind)))
        assert diary.scalar(select(Patient.phone).where(Patient.id == two[0])) == "+12125550177"

    def test_what_was_merged_on_is_parted_in_the_right_order_only(self, desk, two, book, diary):
        _, reference = book("2026-11-23 10:00", name="J Doe", email="j.doe@example.com", phone="646 555 0101")
        first, middle, last = *two, diary.scalar(select(Appointment.patient_id).filter_by(reference=reference))
        stale = next(form for form in self.merge(desk, middle, first).forms if "/undo-merge/" in form.action)
        self.merge(desk, last, middle)
        page = desk.send(stale)
        assert page.path == f"/desk/patients/{last}"
        assert "Nothing was undone" in page.text
        assert self.owners(diary) == [last] * 3
        for _ in range(2):
            desk.send(next(form for form in page.forms if "/undo-merge/" in form.action))
            page = desk.open(f"/desk/patients/{middle}")
        assert self.owners(diary) == [first, middle, last]

    def test_contact_from_a_tab_of_before_is_not_stored_on_the_merged_record(self, desk, two, diary):
        desk.open(f"/desk/patients/{two[1]}")
        before = form_to(desk, f"/desk/patients/{two[1]}")
        self.merge(desk, *two)
        page = desk.send(before, email="new@example.com")
        assert page.path == f"/desk/patients/{two[0]}"
        assert "Nothing was saved" in page.text
        assert "new@example.com" not in diary.all(select(Patient.email))

    def test_a_record_that_is_erased_at_that_very_moment_is_not_found(self, desk, two, monkeypatch):
        desk.open(f"/desk/patients/{two[0]}")
        contact = form_to(desk, f"/desk/patients/{two[0]}")
        monkeypatch.setattr("portal.booking.patients._lock", Mock(side_effect=LookupError))
        assert desk.send(contact).status == 404
        assert self.merge(desk, *two).status == 404

    def test_merging_twice_or_with_itself_does_nothing_more(self, desk, two, diary):
        self.merge(desk, *two)
        page = desk.open(f"/desk/patients/{two[0]}/merge/{two[1]}")
        assert page.path == f"/desk/patients/{two[0]}"
        assert desk.open(f"/desk/patients/{two[0]}/merge/{two[0]}").path == f"/desk/patients/{two[0]}"
        assert diary.count(PatientMerge) == 1
