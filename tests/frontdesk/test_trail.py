"""The audit trail at the desk: who saw and did what, for managers to read and filter."""

import pytest

from portal.accounts.services import StaffRole


@pytest.fixture
def engine():
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


@pytest.fixture
def seen(desk, book):
    """Somebody at the front desk has looked at a visit."""
    book("2026-11-20 09:00")
    desk.open("/desk/day/2026-11-20")
    desk.open(desk.page.link("/desk/visit/"))


def rows(page):
    return page.text.count("<tr><td>")


def test_who_saw_a_visit_and_when_is_there_to_read(manager, seen):
    page = manager.open("/desk/audit?action=visit-seen")
    assert rows(page) == 1
    assert "Test front-desk" in page.text
    assert "Wednesday, November 18, 10:00 am EST" in page.text


def test_it_is_filtered_by_person_thing_and_day(manager, seen):
    everything = rows(manager.open("/desk/audit"))
    assert 0 < rows(manager.open("/desk/audit?who=patient")) < everything
    assert rows(manager.open("/desk/audit?about=day:2026-11-20")) == 1
    assert rows(manager.open("/desk/audit?first=2026-11-19")) == 0
    assert rows(manager.open("/desk/audit?last=2026-11-17")) == 0
    assert rows(manager.open("/desk/audit?first=2026-11-18&last=2026-11-18")) > 0


@pytest.mark.parametrize("query", ["first=yesterday", "who=nobody", "action=nothing"])
def test_what_makes_no_sense_is_said(manager, query):
    assert manager.open(f"/desk/audit?{query}").status == 422


def test_older_entries_are_a_click_away(manager):
    for _ in range(101):
        manager.open("/desk/requests")
    page = manager.open("/desk/audit?action=list-seen")
    assert rows(page) == 100
    assert rows(manager.open(page.link("before="))) > 0
