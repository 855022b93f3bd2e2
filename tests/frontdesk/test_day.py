"""The desk's day: who comes, when, to whom, and what the assessment says."""

import pytest

from portal.audit.models import AuditEntry
from portal.audit.verification import verify
from portal.core.db import db
from tests.assessment.test_walk import NECK


@pytest.fixture
def visit(visitor):
    visitor.finish(**NECK)
    return visitor.book(note="Needs an interpreter")


def test_today_shows_the_visit_with_its_lane_and_one_link_further_contact_and_brief(desk, visit):
    page = desk.open("/desk/")
    assert page.path == "/desk/day/2026-11-18"
    for fact in ("Jane Doe", "12:00", "Ada Test, MD", "consult", "not yet signed off"):
        assert fact in page.text
    page = desk.open(page.link("/desk/visit/"))
    for fact in ("May 17, 1980", "(212) 555-0177", "jane@example.com", "cervicogenic"):
        assert fact in page.text
    assert desk.open(page.link("/desk/patients/")).heading == "Jane Doe"


def test_any_day_can_be_opened_and_empty_ones_say_so(desk):
    assert "Nobody sees patients on this day" in desk.open("/desk/day/2026-11-22").text
    assert desk.open("/desk/go?date=2026-11-20").path == "/desk/day/2026-11-20"
    assert desk.open("/desk/go?date=nonsense").path == "/desk/day/2026-11-18"


@pytest.mark.parametrize("day", ["tomorrow", "2026-13-01", "0001-01-01", "9999-12-31", "2026-11-18x"])
def test_a_day_that_is_none_is_a_missing_page(desk, day):
    assert desk.open(f"/desk/day/{day}").status == 404


def test_the_visit_page_shows_brief_note_and_mail(desk, visit):
    desk.open("/desk/")
    page = desk.open(desk.page.link("/desk/visit/"))
    for fact in (
        visit.reference,
        "Needs an interpreter",
        "leaves now",
        "CHISG III: side-locked",
        "8 to 14",
    ):
        assert fact in page.text


def test_a_visit_that_does_not_exist_is_a_missing_page(desk):
    assert desk.open("/desk/visit/00000000-0000-0000-0000-000000000000").status == 404
    assert desk.open("/desk/visit/1").status == 404


def test_who_booked_without_the_assessment_is_shown_as_such(desk, visitor):
    visitor.pass_safety()
    visitor.book()
    desk.open("/desk/")
    page = desk.open(desk.page.link("/desk/visit/"))
    assert "safety question only" in page.text
    assert desk.open(f"{page.path}/brief").path == page.path  # a key leads there from the board


def test_the_brief_writes_the_birth_date_as_all_pages_do(desk, visit):
    desk.open("/desk/")
    assert "born May 17, 1980" in desk.open(f"{desk.page.link('/desk/visit/')}/brief").text


def test_a_cancelled_visit_frees_the_slot_and_stays_readable(desk, visit, visitor):
    link = visit.link("/visit/")
    visitor.open(f"{link}/cancel")
    visitor.send(choice="time")
    visitor.send(confirmed="yes")
    page = desk.open("/desk/")
    assert "<i>cancelled</i>" in page.text
    assert page.text.count("data-slot=") == 2  # as before: 11 and 12 o’clock


def test_what_patients_typed_is_shown_as_text(desk, visitor):
    visitor.pass_safety()
    visitor.book(name="<script>alert(1)</script>", note="<img src=x onerror=alert(1)>")
    desk.open("/desk/")
    assert "<script>alert" not in desk.page.text
    assert "<img" not in desk.open(desk.page.link("/desk/visit/")).text


def test_every_look_at_patients_is_in_the_audit_trail_which_holds_together(desk, visit, app):
    desk.open("/desk/")
    desk.open(desk.page.link("/desk/visit/"))
    with app.app_context():
        entries = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [entry.action for entry in entries][-4:] == ["signed-in", "booked", "day-seen", "visit-seen"]
        assert entries[-1].actor.startswith("staff:")
        assert entries[-3].actor == "patient"
        assert verify().torn is None


def test_a_changed_entry_breaks_the_chain_where_it_was_changed(desk, visit, app):
    with app.app_context():
        entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "booked")).one()
        entry.actor = "somebody else"
        db.session.commit()
        assert verify().torn == entry.id
