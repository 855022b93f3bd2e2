"""A doctor's office refers: by a link for all its patients, or one patient with consent."""

import pytest
from sqlalchemy import select

from portal.booking import referring, requests
from portal.booking.models import Appointment, PatientRequest, RequestKind
from portal.booking.wishes import Wishes
from portal.core import allowed
from portal.core.db import db
from portal.core.limits import EVERYBODY, used
from portal.notifications.models import OutgoingMail
from portal.notifications.queries import list_problems
from portal.notifications.services import UNDO_WINDOW, note_bounce, send_due_mail
from portal.referrals.models import Journey, ReferralLink
from portal.referrals.services import Reached, start_journey
from tests.visitor import Visitor

PATIENT = {
    "practice": "Dr. Lee & Partners",
    "name": "Ann Poe",
    "phone": "212 555 0188",
    "reason": "face",
    "urgency": "soon",
    "consent": "y",
    "may_tell": "y",
    "practice_email": "office@lee.example",
}


@pytest.fixture
def office(app, clock):
    """Somebody in the office, who takes longer than three seconds to type."""

    class Office(Visitor):
        def open(self, path, **options):
            page = super().open(path, **options)
            clock.shift(10)
            return page

    return Office(app)


def first(app, model):
    with app.app_context():
        return db.session.scalars(select(model)).first()


def settle(desk, outcome):
    page = desk.open("/desk/requests")
    return desk.send(next(form for form in page.forms if "requests" in form.action), outcome=outcome)


@pytest.fixture
def hear(app, clock, mail_server):
    """What has been mailed once nobody can take it back any more."""

    def hear():
        clock.shift(UNDO_WINDOW)
        with app.app_context():
            send_due_mail()
        return mail_server.received

    return hear


def test_a_practice_gets_a_link_a_qr_code_and_a_sheet_to_print(office, app):
    office.open("/refer/")
    form = office.page.form
    page = office.send(form, practice="Dr. Lee & Partners")
    assert page.heading == "The link of Dr. Lee &amp; Partners"
    code = page.path.rpartition("/")[2]
    assert code.startswith("dr-lee-partners-")
    assert f"http://127.0.0.1:8000/r/{code}" in page.text
    assert office.client.get(f"{page.path}/qr.svg").data.startswith(b"<svg")
    assert office.client.get(f"{page.path}/sheet.pdf").data.startswith(b"%PDF")
    assert office.send(form, practice="Dr. Lee & Partners").path == page.path  # twice is once
    patient = Visitor(app)
    assert patient.open(f"/r/{code}").path == "/assessment/"
    assert first(app, Journey).link_code == code


def test_a_link_of_another_kind_is_no_business_of_the_public(office):
    assert office.open("/refer/link/leaflet").status == 404
    assert office.open("/refer/link/nothing").status == 404


def test_one_patient_becomes_a_task_at_the_desk_once(office, desk):
    office.open("/refer/patient")
    form = office.page.form
    for _ in range(2):
        assert office.send(form, **PATIENT).heading == "Thank you: it is on our desk’s list"
    text = desk.open("/desk/requests").text
    assert text.count("<strong>Ann Poe</strong>") == 1
    for fact in ("Dr. Lee &amp; Partners", "Pain in the face, within two weeks", "(212) 555-0188", "referred"):
        assert fact in text


def test_nobody_is_thanked_for_a_referral_that_was_not_sent(office, clock):
    assert office.open("/refer/patient/sent").path == "/refer/patient"
    office.send(**PATIENT)
    assert office.open("/refer/patient/sent").heading == "Thank you: it is on our desk’s list"
    clock.shift(2 * 3600)
    assert office.open("/refer/patient/sent").path == "/refer/patient"


def test_the_practice_hears_that_a_visit_was_booked_and_no_more(office, desk, app, mail_server, hear):
    office.open("/refer/patient")
    office.send(**PATIENT)
    settle(desk, "booked")
    (mail,) = hear()
    assert b"To: office@lee.example" in mail
    text = mail_server.text()
    assert "An appointment is booked." in text
    assert "Ann" not in text
    assert "face" not in text
    with app.app_context():
        assert db.session.scalar(select(Journey.minutes_to_book)) is not None


def test_that_the_practice_heard_is_not_that_the_patient_did(app, hear):
    referred = {"practice": "Lee", "email": "office@lee.example", "reason": "Pain"}
    asked = requests.Asked("Jane Doe", "+12125550177", Wishes(), "", "jnae@example.com")
    with app.app_context():
        requests.ask(RequestKind.REFERRAL, start_journey(), asked, "key", referred=referred)
        send_due_mail()
        requests.settle(db.session.scalar(select(PatientRequest.id)), requests.BOOKED)
    hear()
    with app.app_context():
        to_patient = db.session.scalar(select(OutgoingMail.id).where(OutgoingMail.kind == "request"))
        assert note_bounce(to_patient, "5.1.1 unknown")
        assert [mail.id for mail in list_problems()] == [to_patient]


@pytest.mark.parametrize(
    ("change", "outcome"),
    [({"may_tell": None, "practice_email": ""}, "booked"), ({}, "no-answer"), ({"may_tell": None}, "booked")],
)
def test_without_the_patients_consent_or_a_booking_nobody_hears_anything(office, desk, hear, change, outcome):
    office.open("/refer/patient")
    office.send(**{**PATIENT, **change})
    settle(desk, outcome)
    assert hear() == []


def test_a_slip_is_taken_back_before_anybody_hears_of_it_or_counts_it_and_what_is_true_is_heard_once(
    office, desk, app, hear
):
    office.open("/refer/patient")
    office.send(**PATIENT)
    page = settle(desk, "booked")
    assert "Noted: booked." in page.text
    page = desk.send(next(form for form in page.forms if form.action.endswith("/reopen")))
    assert "The request is on the list again." in page.text
    assert hear() == []
    assert not first(app, Journey).reached & Reached.BOOKED.bit
    assert first(app, Journey).minutes_to_book is None
    settle(desk, "booked")
    assert len(hear()) == len(hear()) == 1
    assert first(app, Journey).reached & Reached.BOOKED.bit


def book_by_phone(desk, diary):
    """Find a time for who is on the list, and the page that says so."""
    desk.open(desk.page.link("/desk/book?request="))
    call = next(form for form in desk.page.forms if form.action == "/desk/book")
    slot = diary.slot_at("2026-11-20 09:00")
    return desk.send(call, step="book", slot=slot, date_of_birth="1/2/1960", red_flags_now="none")


@pytest.mark.parametrize("before", [None, "reached"])
def test_a_booking_undone_is_as_if_the_request_had_not_been_answered(office, desk, app, hear, diary, before):
    office.open("/refer/patient")
    office.send(**PATIENT)
    page = desk.open("/desk/requests")
    if before:
        settle(desk, before)
        desk.page = page  # of a colleague, opened before
    assert book_by_phone(desk, diary).outcome == "booked"
    assert first(app, PatientRequest).outcome == "booked"
    desk.send(next(form for form in desk.open("/desk/").forms if form.action.endswith("/undo")))
    assert first(app, Appointment).status == "entered-in-error"
    assert first(app, PatientRequest).outcome == before
    assert not first(app, Journey).reached & Reached.BOOKED.bit
    assert hear() == []


def test_who_asked_for_somebody_sees_nothing_of_the_visit_that_the_desk_books(office, desk, diary):
    office.open("/refer/patient")
    office.send(**PATIENT)
    desk.open("/desk/requests")
    reference = book_by_phone(desk, diary).reference
    for path in ("/book/confirmed", "/book/confirmed/address", f"/visit/{reference}", "/book/"):
        office.open(path)
        assert reference not in office.page.text
        assert "on its way" not in office.page.text


def test_what_a_colleague_has_settled_is_not_settled_anew_by_an_older_page(office, desk, app):
    office.open("/refer/patient")
    office.send(**PATIENT)
    older = next(form for form in desk.open("/desk/requests").forms if "requests" in form.action)
    settle(desk, "booked")
    assert "This request was settled already" in desk.send(older, outcome="reached").text
    assert first(app, PatientRequest).outcome == "booked"


def test_a_referral_counts_for_the_practices_link(office, app):
    office.open("/refer/")
    code = office.send(practice="Dr. Lee").path.rpartition("/")[2]
    office.open(f"/refer/patient?code={code}")
    assert office.page.form.values["practice"] == ["Dr. Lee"]
    office.send(**PATIENT)
    assert first(app, Journey).link_code == code


def test_what_was_typed_comes_back_and_consent_is_asked_for(office):
    office.open("/refer/patient")
    page = office.send(**{**PATIENT, "consent": None, "practice_email": ""})
    assert (page.status, page.outcome) == (422, "invalid")
    assert page.form.values["name"] == ["Ann Poe"]
    assert set(page.errors) == {
        "Ask the patient first, then tick this.",
        "Enter where we should send the message, or untick the box above.",
    }


def test_what_is_told_of_the_patient_is_encrypted(office, app):
    office.open("/refer/patient")
    office.send(**PATIENT)
    with app.app_context():
        stored = db.session.execute(db.text("SELECT referred FROM patient_request")).scalar()
        assert b"Lee" not in bytes(stored)
        assert db.session.scalar(select(PatientRequest.referred))["reason"] == "face"


class TestPrograms:
    """What fills in every form is stopped; a person who is stopped by mistake sends it once more."""

    def test_that_fill_in_the_field_nobody_sees_reach_nobody(self, office, app):
        office.open("/refer/patient")
        page = office.send(**PATIENT, website="https://spam.example")
        assert page.status == 422
        assert "please send it once more" in page.text
        assert first(app, PatientRequest) is None
        assert office.send(**PATIENT).status == 200

    def test_that_are_faster_than_people_reach_nobody(self, app, clock):
        fast = Visitor(app)
        fast.open("/refer/")
        assert fast.send(practice="Spam").status == 422
        clock.shift(4)
        assert fast.send().status == 200

    @pytest.mark.parametrize("begun", ["", "1", "1763478000.x", "99999999999.AAAA"])
    def test_that_make_up_the_time_reach_nobody(self, office, app, begun):
        office.open("/refer/")
        assert office.send(practice="Spam", begun=begun).status == 422
        with app.app_context():
            assert db.session.scalar(select(ReferralLink).where(ReferralLink.label == "Spam")) is None

    @pytest.mark.usefixtures("town")
    def test_that_come_all_at_once_are_asked_to_call_and_people_too_for_an_hour(self, office, clock, monkeypatch):
        monkeypatch.setattr(referring, "MOST_AN_HOUR", 10)  # of sixty, which would take as long as a hundred tests
        for path, filled in (("/refer/patient", PATIENT), ("/refer/", {"practice": "Dr. Lee"})):
            for _ in range(referring.MOST_AN_HOUR):
                office.open(path)
                assert office.send(**filled).status == 200
            office.open(path)
            page = office.send(**filled)
            assert (page.status, page.outcome) == (429, "limited")
            assert "tel:2125550100" in page.links
            assert page.form.values["practice"] == [filled["practice"]]
            clock.shift(3600)
            assert office.send().status in {200, 422}

    @pytest.mark.usefixtures("town")
    def test_the_last_link_of_an_hour_is_shown_also_to_who_presses_twice(self, office, app, monkeypatch):
        monkeypatch.setattr(referring, "MOST_AN_HOUR", 1)
        office.open("/refer/")
        form = office.page.form
        pages = [office.send(form, practice="Dr. Lee") for _ in range(2)]
        assert [page.status for page in pages] == [200, 200]
        with app.app_context():
            assert used((allowed.ALL_REQUESTS, EVERYBODY)) == [1]
