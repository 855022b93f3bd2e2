"""The command field: from a few letters to the patient, the day, the clinician or the action that is meant."""

from datetime import date

import pytest

from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.frontdesk.dates import read_day, read_month

TODAY = date(2026, 11, 18)  # a Wednesday


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("today", TODAY),
        ("tom", date(2026, 11, 19)),
        ("yesterday", date(2026, 11, 17)),
        ("tue", date(2026, 11, 24)),
        ("wed", date(2026, 11, 25)),  # today is "today"
        ("next tue", date(2026, 12, 1)),
        ("+10", date(2026, 11, 28)),
        ("+2w", date(2026, 12, 2)),
        ("-1d", date(2026, 11, 17)),
        ("+3m", date(2027, 2, 18)),
        ("11/24", date(2026, 11, 24)),
        ("3/14", date(2027, 3, 14)),  # the one to come
        ("10/30", date(2026, 10, 30)),  # the one that has just been
        ("3/14/27", date(2027, 3, 14)),
        ("2027-03-14", date(2027, 3, 14)),
        ("Mar 14", date(2027, 3, 14)),
        ("december 24, 2026", date(2026, 12, 24)),
    ],
)
def test_a_day_is_read_as_the_desk_says_it(typed, day):
    assert read_day(typed, TODAY) == day


@pytest.mark.parametrize("typed", ["", "t", "to", "2/30", "13/13", "+", "+9999", "jane", "may", "00/00", "2026-13-01"])
def test_other_words_are_no_day(typed):
    assert read_day(typed, TODAY) is None


@pytest.mark.parametrize(
    ("typed", "month"), [("march", date(2027, 3, 1)), ("nov", date(2026, 11, 1)), ("Mar 2026", date(2026, 3, 1))]
)
def test_a_month_is_the_next_one_of_that_name(typed, month):
    assert read_month(typed, TODAY) == month


class TestTheField:
    @pytest.fixture
    def engine(self):
        return "sqlite"

    @pytest.fixture
    def find(self, desk):
        def find(text, person=desk):
            return person.post("/desk/find", {**person.open("/desk/find").form.values, "q": text})

        return find

    @pytest.mark.parametrize(
        "typed", ["person num", "NUMBER person", "0177", "(212) 555-0177", "person1@", "5/17/1980"]
    )
    def test_opens_the_one_patient_that_fits_at_the_next_visit(self, find, book, typed):
        reference = book("2026-11-20 09:00")[1]
        assert reference in find(typed).text
        assert reference in find(reference.lower()).text

    def test_lists_several_with_what_tells_them_apart(self, find, book):
        book("2026-11-20 09:00")
        book("2026-11-23 11:00")
        page = find("person")
        assert page.path == "/desk/find"
        for fact in ("Person Number 1", "Person Number 2", "born May 17, 1980", "next Monday, November 23"):
            assert fact in page.text

    @pytest.mark.parametrize(
        ("typed", "path"),
        [
            ("+2w", "/desk/day/2026-12-02"),
            ("march", "/desk/month/2027-03"),
            ("ada", "/desk/week/2026-11-18"),
            ("walk-in", "/desk/book"),
            ("holiday", "/desk/closures"),
            ("shortcuts", "/desk/keys"),
        ],
    )
    def test_opens_days_months_clinicians_and_actions(self, find, typed, path):
        assert find(typed).path == path

    def test_knows_each_action_once(self, find, staff):
        assert find("settings", staff(StaffRole.MANAGER)).path == "/desk/setup/"

    def test_says_what_to_try_when_nothing_fits_and_keeps_the_words(self, find):
        page = find("<zz>")
        assert "Nothing fits “&lt;zz&gt;”" in page.text

    def test_notes_who_was_found_and_not_what_was_typed(self, find, book, diary):
        book("2026-11-20 09:00")
        find("person")
        entry = diary.all(AuditEntry.__table__.select().where(AuditEntry.action == "patients-found"))
        assert len(entry) == 1
        assert "person" not in str(diary.scalar(AuditEntry.__table__.select()))

    def test_shows_a_clinician_days_and_no_patients_or_desk_actions(self, find, book, staff):
        book("2026-11-20 09:00")
        clinician = staff(StaffRole.CLINICIAN)
        assert "Nothing fits" in find("person", clinician).text
        assert "Nothing fits" in find("closures", clinician).text
        assert find("tomorrow", clinician).path == "/desk/day/2026-11-19"


def test_single_keys_can_be_switched_off_for_who_speaks_to_the_computer(desk):
    page = desk.open("/desk/keys")
    assert 'data-keys="on"' in page.text
    page = desk.send(next(form for form in page.forms if form.action == "/desk/keys"))
    assert 'data-keys="off"' in page.text
