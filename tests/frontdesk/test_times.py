"""Free times blocked and opened by hand: they stay so, and the closure of everybody stands."""

import re
from datetime import date

import pytest
from sqlalchemy import select

from portal.audit.models import AuditEntry
from portal.scheduling.models import Closure, Slot

pytestmark = pytest.mark.both_engines

FRIDAY = "2026-11-20"


@pytest.fixture
def tick(desk, diary):
    """Tick times of the board, by their wall time, and press a button."""

    def tick(*begins, day=FRIDAY, **values):
        page = desk.open(f"/desk/day/{day}?times=1")
        form = next(form for form in page.forms if form.action == "/desk/times/change")
        return desk.send(form, slot=[diary.slot_at(f"{day} {each}") for each in begins], **values)

    return tick


@pytest.fixture
def offered(diary):
    def offered(day=FRIDAY):
        rows = diary.all(
            select(Slot.begins).where(Slot.day == date.fromisoformat(day), Slot.offered).order_by(Slot.begins)
        )
        return [f"{begins:%H:%M}" for begins in rows]

    return offered


def test_ticked_times_are_blocked_as_one_and_opened_again_one_by_one(tick, offered, diary):
    page = tick("09:00", "10:00", reason="Staff meeting")
    assert "2 times blocked: Staff meeting." in page.text
    assert offered() == ["11:00", "12:00"]
    assert diary.count(Closure, Closure.reason == "Staff meeting") == 1
    assert "1 time is offered again." in tick("09:00", open="1").text
    assert offered() == ["09:00", "11:00", "12:00"]
    tick("10:00", open="1")
    assert offered() == ["09:00", "10:00", "11:00", "12:00"]
    assert diary.count(Closure, Closure.reason == "Staff meeting") == 0


def test_who_blocked_times_and_who_opened_them_again_is_in_the_audit_trail_but_not_why(tick, diary):
    tick("09:00", "10:00", "11:00", reason="Staff meeting")
    tick("10:00", "11:00", open="1")
    by_desk = select(AuditEntry).where(AuditEntry.screen == "times.change").order_by(AuditEntry.id)
    blocked, *opened = diary.all(by_desk)
    assert blocked.action == "closed"
    assert [entry.action for entry in opened] == ["reopened", "reopened"]
    assert {entry.actor for entry in opened} == {blocked.actor}
    assert blocked.details == {}
    assert [entry.details for entry in opened] == [{"begins": f"{FRIDAY} {begins}"} for begins in ("10:00", "11:00")]


def test_a_reason_is_asked_for_and_what_was_ticked_stays_so(tick, offered, diary):
    page = tick("09:00", "10:00", reason="")
    assert (page.status, page.errors) == (422, ["Say why, for your colleagues."])
    ticked = re.findall(r'value="(\d+)" data-slot="\d+" checked', page.text)
    assert ticked == [diary.slot_at(f"{FRIDAY} {begins}") for begins in ("09:00", "10:00")]
    assert len(offered()) == 4


def test_nothing_ticked_is_said_and_the_reason_stays(tick, offered):
    page = tick(reason="Staff meeting")
    assert "Tick the times first" in page.text
    form = next(form for form in page.forms if form.action == "/desk/times/change")
    assert (page.status, form.values["reason"], form.values["day"]) == (422, ["Staff meeting"], [FRIDAY])
    assert len(offered()) == 4


def test_why_a_time_is_not_bookable_is_asked_from_there_with_the_day_filled_in(desk):
    page = desk.open(desk.open(f"/desk/day/{FRIDAY}?times=1").link("/desk/why"))
    form = next(form for form in page.forms if form.action == "/desk/why")
    assert (page.status, page.errors, form.values["day"]) == (200, [], [FRIDAY])


def test_what_somebody_has_taken_in_the_meantime_stays(tick, offered, book, desk, diary):
    page = desk.open(f"/desk/day/{FRIDAY}?times=1")
    book(f"{FRIDAY} 09:00")
    form = next(form for form in page.forms if form.action == "/desk/times/change")
    slots = [diary.slot_at(f"{FRIDAY} {begins}") for begins in ("09:00", "10:00")]
    assert "1 time blocked" in desk.send(form, slot=slots, reason="Staff meeting").text
    assert offered() == ["09:00", "11:00", "12:00"]


def test_a_holiday_of_everybody_is_not_opened_from_the_board(desk, tick, offered):
    desk.open("/desk/closures")
    form = next(form for form in desk.page.forms if form.action == "/desk/closures")
    desk.send_and_confirm(form, first=FRIDAY, reason="Day of mourning")
    page = tick("09:00", open="1")
    assert "Still closed: Day of mourning" in page.text
    assert offered() == []


def test_an_extra_day_is_shown_first_and_then_opened(desk, offered, app):
    saturday = "2026-11-21"
    desk.open("/desk/times/open")
    wanted = {"provider": "1", "location": "1", "visit_type": "1", "day": saturday, "opens": "09:00", "closes": "11:00"}
    form = next(form for form in desk.page.forms if form.action == "/desk/times/open")
    page = desk.send(form, **wanted)
    assert "<strong>2 times will be opened.</strong>" in page.text
    assert offered(saturday) == []
    assert "2 times opened.</p>" in desk.send_and_confirm(form, **wanted).text
    assert offered(saturday) == ["09:00", "10:00"]
    assert desk.send(form, **{**wanted, "closes": "08:00"}).errors == ["The times must end after they begin."]


@pytest.mark.parametrize(
    ("day", "says"),
    [
        ("2026-11-27", "No time will be opened; 2 not: Holiday."),
        ("2026-11-20", "No time will be opened; 2 not: a visit or another time stands there."),
        ("2027-02-06", "No time will be opened: the diary is open until Dec 9, 2026, and this is later."),
        (
            "2026-11-17",
            "No time will be opened: they stand there already, have passed, or are too short for this visit.",
        ),
    ],
)
def test_where_nothing_can_be_opened_it_says_why_and_offers_no_button(desk, day, says):
    desk.open("/desk/times/open")
    form = next(form for form in desk.page.forms if form.action == "/desk/times/open")
    page = desk.send(form, provider="1", location="1", visit_type="1", day=day, opens="09:30", closes="11:30")
    assert says in page.text
    assert "Open them" not in page.text
