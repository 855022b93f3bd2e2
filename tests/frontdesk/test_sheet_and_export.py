"""The diary on paper and as a file for spreadsheets."""

import pytest
from sqlalchemy import select

from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from tests.frontdesk.test_board import FRIDAY


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


def test_the_sheet_has_what_is_needed_on_paper_and_is_in_the_audit_trail(desk, book, diary):
    book(f"{FRIDAY} 09:00", note="Needs an interpreter")
    page = desk.open(f"/desk/day/{FRIDAY}/sheet")
    for fact in (
        "Ada Test, MD",
        "9:00 am",
        "Person Number 1",
        "born May 17, 1980",
        "(212) 555-0177",
        "First consult",
        "Needs an interpreter",
    ):
        assert fact in page.text
    assert diary.all(select(AuditEntry.action))[-1] == "sheet-seen"
    assert "Nobody comes" in desk.open("/desk/day/2026-11-22/sheet").text


@pytest.mark.both_engines
def test_the_file_holds_the_visits_of_the_days_and_no_formula(manager, book, diary):
    book(f"{FRIDAY} 09:00", name="=1+1", email="-cmd@example.com")
    book("2026-11-23 09:00", name="Zoë Later")
    page = manager.open(f"/desk/export.csv?from={FRIDAY}&until={FRIDAY}")
    assert page.response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert f"visits-{FRIDAY}.csv" in page.response.headers["Content-Disposition"]
    header, row = page.text.strip().split("\r\n")
    assert header.startswith("\ufeffDate,Starts")
    assert row.startswith(
        "2026-11-20,09:00,10:00,EST,\"Ada Test, MD\",East,First consult,booked,'=1+1,1980-05-17,'+1212"
    )
    assert ",'-cmd@example.com," in row
    entry = diary.all(select(AuditEntry))[-1]
    assert (entry.action, entry.details) == ("exported", {"until": FRIDAY, "visits": 1})
    assert "Zoë Later" in manager.open(f"/desk/export.csv?from={FRIDAY}&until=2026-11-23").text


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (FRIDAY, "2026-11-19", "The last day must not be before the first."),
        ("2026-01-01", "2026-04-03", "These are more than 92 days: export them in parts."),
        ("", FRIDAY, "Enter the first day."),
    ],
)
def test_days_that_make_no_sense_are_explained(manager, since, until, message):
    page = manager.open(f"/desk/export.csv?from={since}&until={until}")
    assert page.status == 422
    assert message in page.errors


def test_the_file_is_for_managers_only(desk):
    assert desk.open(f"/desk/export.csv?from={FRIDAY}&until={FRIDAY}").status == 403
    assert not any("/desk/export" in link for link in desk.open("/desk/").links)
