"""What is kept goes when its time is over, and what is promised is what is done."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from portal.accounts.services import StaffRole
from portal.assessment.models import Assessment, ResumeLink
from portal.audit.models import AuditEntry
from portal.audit.verification import verify
from portal.booking.models import Appointment, BookingDraft, Patient, PatientRequest, RequestKind, Status, WaitlistEntry
from portal.booking.requests import Asked, ask
from portal.booking.wishes import Wishes
from portal.core import retention
from portal.core.db import db
from portal.home.purging import purge
from portal.notifications.models import OutgoingMail
from portal.notifications.services import send_due_mail
from portal.referrals.models import Journey
from portal.scheduling.models import Clinic
from tests.assessment.test_walk import NECK
from tests.data.conftest import words_of
from tests.visitor import Visitor

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def count(app):
    """How many rows there are, or of those for which something holds."""

    def count(model, *where):
        with app.app_context():
            return db.session.scalar(select(func.count()).select_from(model).where(*where))

    return count


@pytest.fixture
def after(app, clock):
    """What the purge takes away so many days after now, by kind; the clock then stands there."""

    def after(days):
        clock.shift(timedelta(days=days))
        with app.app_context():
            due = {rule.kind: n for rule in retention.list_rules() if (n := retention.count_due(rule))}
            gone = purge()
            assert gone.keys() >= due.keys()  # what was foretold, and what hung on it
            assert purge().keys() <= {"mails"}  # those that an erasure has taken back go the next day
            return gone

    return after


class TestEachKind:
    @pytest.mark.both_engines
    def test_answers_that_no_visit_followed_finished_or_not(self, app, after, count):
        Visitor(app).finish(**NECK)
        Visitor(app).answer(**NECK)
        assert not {"unfinished-checks", "checks-without-visit"} & after(29).keys()
        assert after(2).keys() >= {"unfinished-checks", "checks-without-visit"}
        assert count(Assessment) == 0

    def test_an_address_to_which_a_way_back_was_mailed(self, app, after, count):
        person = Visitor(app)
        person.answer(**NECK)
        person.open("/assessment/pause")
        person.send(person.page.forms[0], email="jane@example.com")
        assert "resume-links" not in after(7)
        assert after(2)["resume-links"] == 1
        assert count(ResumeLink) == 0

    def test_a_booking_that_was_begun(self, app, after, count):
        person = Visitor(app)
        person.pass_safety()
        person.hold()
        person.fill_in()
        assert after(6) == {}
        assert after(2)["begun-bookings"] == 1
        assert count(BookingDraft) == 0

    @pytest.mark.both_engines
    def test_a_journey_without_a_booking_becomes_a_number(self, app, after, count):
        Visitor(app).open("/r/leaflet")
        assert after(90) == {}
        assert after(1)["journeys"] == 1
        assert count(Journey) == 0

    def test_requests(self, app, visitor, after, count):
        visitor.open("/request/call-back")
        visitor.send(name="Ann Poe", phone="212 555 0188", best_time="any")
        assert "requests" not in after(180)
        assert after(1)["requests"] == 1
        assert count(PatientRequest) == 0

    @pytest.mark.both_engines
    def test_with_a_link_a_request_or_an_offer_the_address_to_which_a_mail_about_it_went(self, app, life, after, count):
        with app.app_context():
            send_due_mail()
            ask(RequestKind.CALL_BACK, None, Asked("Ann Poe", "+12125550188", Wishes(), "", "ann@example.com"), "key")
            send_due_mail()
        after(181)
        about_visits = OutgoingMail.about_id.in_(select(Appointment.id))
        assert count(OutgoingMail, ~about_visits) >= 3
        assert count(OutgoingMail, ~about_visits, OutgoingMail.recipient.is_not(None)) == 0
        assert count(OutgoingMail, about_visits, OutgoingMail.recipient.is_not(None)) > 0

    def test_a_place_on_the_earlier_slot_list(self, app, book, after, count):
        link, _ = book("2026-11-23 09:00")
        person = Visitor(app)
        person.open(f"{link}/earlier")
        person.send()
        assert "waitlist-entries" not in after(5 + 90)
        assert after(1)["waitlist-entries"] == 1
        assert count(WaitlistEntry) == 0

    def test_the_link_of_a_visit_ends_a_month_after_it(self, app, book, after, clock):
        link, _ = book("2026-11-20 09:00")
        clock.shift(timedelta(days=2 + 29))
        assert Visitor(app).open(link).status == 200
        clock.shift(timedelta(days=2))
        page = Visitor(app).open(link)
        assert page.status == 404  # before any purge
        assert "tel:2125550100" in page.links
        assert after(0)["visit-links"] == 1
        assert Visitor(app).open(link).status == 404

    def test_mails_that_are_over(self, app, book, after, count, mail_server):
        book("2026-11-20 09:00")
        with app.app_context():
            send_due_mail()
        sent = OutgoingMail.state == "sent"
        assert "mails" not in after(399)
        assert count(OutgoingMail, sent) == 1
        assert after(3)["mails"] >= 1
        assert count(OutgoingMail, sent) == 0

    def test_contact_of_who_cancelled_and_never_came(self, app, book, after, count):
        link, _ = book("2026-11-20 09:00")
        book("2026-11-20 10:00")
        person = Visitor(app)
        person.open(f"{link}/cancel")
        person.send(choice="time")
        assert person.send(confirmed="yes").outcome == "cancelled"
        after(365)
        assert count(Patient, Patient.erased_at.is_(None)) == 2
        assert after(4)["cancelled-bookings"] == 1
        assert count(Patient, Patient.erased_at.is_(None)) == 1
        assert count(Appointment, Appointment.status == Status.CANCELLED) == 1

    @pytest.mark.both_engines
    def test_medical_records_as_long_as_the_clinic_says(self, app, book, after, count):
        book("2026-11-20 09:00")
        after(365 * 6)
        assert count(Patient, Patient.erased_at.is_(None)) == 1
        with app.app_context():
            db.session.execute(update(Clinic).values(record_years=5))
            db.session.commit()
        assert after(1)["medical-records"] == 1
        assert count(Patient, Patient.erased_at.is_(None)) == 0
        assert count(Appointment) == 1

    def test_and_of_a_child_from_eighteen_on(self, app, book, after, count):
        book("2026-11-20 09:00", date_of_birth="5/17/2020")  # eighteen in 2038
        after(365 * 20)
        assert count(Patient, Patient.erased_at.is_(None)) == 1
        assert after(366 * 2)["medical-records"] == 1

    def test_the_audit_trail_longest_and_what_stays_still_holds(self, app, desk, after, count):
        desk.open("/desk/requests")
        before = count(AuditEntry)
        assert "audit-trail" not in after(365 * 11)
        assert after(366 * 2)["audit-trail"] >= before - 1
        with app.app_context():
            assert verify().is_whole
            oldest = db.session.scalar(select(AuditEntry).order_by(AuditEntry.id).limit(1))
            assert oldest.previous != "0" * 64


class TestPurge:
    def test_it_is_noted_by_kind_and_count(self, app, after):
        Visitor(app).open("/r/leaflet")
        after(91)
        with app.app_context():
            entry = db.session.scalar(select(AuditEntry).where(AuditEntry.action == "retention-purged"))
        assert entry.details == {"journeys": 1}

    def test_a_dry_run_counts_and_changes_nothing(self, app, clock, count):
        Visitor(app).open("/r/leaflet")
        clock.shift(timedelta(days=91))
        run = app.test_cli_runner().invoke
        assert "journeys: 1 would go" in run(args=["retention", "purge", "--dry-run"]).output
        assert count(Journey) == 1
        assert "journeys: 1 gone" in run(args=["retention", "purge"]).output
        assert count(Journey) == 0


class TestPromises:
    @pytest.fixture
    def periods(self, app):
        """Each rule with its period in words and in days, as the clinic has set it."""
        with app.app_context():
            return [(rule, rule.period_in_words, rule.period.days) for rule in retention.list_rules()]

    def test_the_privacy_page_says_of_every_kind_how_long_it_is_kept(self, visitor, periods):
        page = words_of(visitor.open("/privacy").text)
        for rule, words, _ in periods:
            assert f"{rule.what} {words} {rule.since}" in page

    def test_numbers_of_days_in_its_sentences_are_those_of_the_rules(self, visitor, periods):
        days = {rule.kind: number for rule, _, number in periods}
        page = words_of(visitor.open("/privacy").text)
        assert f"After {days['journeys']} days, everything about a visit to this site" in page
        assert f"{days['checks-without-visit']} days" in words_of(visitor.open("/assessment/").text)

    def test_the_documentation_has_the_same_table(self, periods):
        table = (ROOT / "docs" / "retention.md").read_text()
        for rule, words, _ in periods:
            assert f"| {words} | {rule.kind} | {rule.what} | {rule.since} | {rule.why} |" in table

    def test_the_clinic_says_at_the_desk_how_long_records_are_kept(self, staff, visitor):
        manager = staff(StaffRole.MANAGER)
        manager.open("/desk/setup/clinic")
        form = next(form for form in manager.page.forms if "record_years" in form.values)
        assert form.values["record_years"] == ["10"]
        manager.send(form, record_years="7")
        assert "7 years" in words_of(visitor.open("/privacy").text)
