"""A visit is moved from the board, the week or the month, and what changes with it is said."""

import re

import pytest
from sqlalchemy import select

from portal.booking.models import Appointment
from tests.frontdesk.test_board import FRIDAY, words_of


def button_of(page, slot):
    found = re.search(rf'<button[^>]* value="{slot}".*?</button>', page.text)
    return " ".join(re.sub(r"<[^>]+>", "", found[0]).split())


@pytest.fixture
def visit(diary, book):
    return diary.scalar(select(Appointment).where(Appointment.reference == book(f"{FRIDAY} 09:00")[1]))


def test_times_of_the_same_kind_are_buttons_and_pressing_one_moves_the_visit(desk, diary, visit):
    page = desk.open(f"/desk/day/2026-11-23?moving={visit.id}")
    assert "Moving Person Number 1" in page.text
    form = next(form for form in page.forms if form.action.endswith(f"/{visit.id}/move"))
    times = [diary.slot_at(f"2026-11-23 {hour}:00") for hour in ("09", "10", "11", "12")]
    assert form.buttons == [("slot", time) for time in times]  # follow-ups in the afternoon are of another kind
    page = desk.send(form, slot=times[2])
    assert page.path == "/desk/day/2026-11-23"
    assert words_of(page, "booked")[0].startswith("11:00 Person Number 1")


def test_week_and_month_go_on_with_it_and_a_day_without_a_time_says_so(desk, visit):
    week = desk.open(desk.open(f"/desk/day/{FRIDAY}?moving={visit.id}").link("/desk/week/"))
    assert "Moving Person Number 1" in week.text
    assert any(form.buttons for form in week.forms if form.action.endswith("/move"))
    month = desk.open(week.link("/desk/month/"))
    assert "Moving Person Number 1" in month.text
    assert f"moving={visit.id}" in month.link("/desk/day/")
    assert "No time of this kind" in desk.open(f"/desk/day/2026-11-28?moving={visit.id}").text


def test_what_changes_besides_the_time_is_said_on_the_button_and_afterwards(desk, diary, visit):
    call = diary.slot_at("2026-11-24 13:00", "call")
    day = desk.open(f"/desk/day/2026-11-24?moving={visit.id}")
    assert button_of(day, call) == "1:00 move here, by phone with Ben Test, NP First consult by phone"
    page = desk.open(f"/desk/week/2026-11-24?moving={visit.id}")
    assert button_of(page, call) == "1:00 by phone with Ben Test, NP"
    assert button_of(page, diary.slot_at("2026-11-23 09:00")) == "9:00"
    form = next(form for form in page.forms if form.action.endswith(f"/{visit.id}/move"))
    page = desk.send(form, slot=call)
    assert "Tuesday, November 24, 1:00 pm PST, now by phone, with Ben Test, NP</a>" in page.text
    back = desk.open(f"/desk/day/2026-11-23?moving={visit.id}")
    says = "9:00 move here, in person at East, with Ada Test, MD First consult"
    assert button_of(back, diary.slot_at("2026-11-23 09:00")) == says


@pytest.mark.parametrize("nobody", ["00000000-0000-0000-0000-000000000000", "nonsense"])
def test_a_visit_that_does_not_exist_is_a_missing_page(desk, nobody):
    assert desk.open(f"/desk/day/{FRIDAY}?moving={nobody}").status == 404


@pytest.mark.parametrize("page", [f"day/{FRIDAY}", f"week/{FRIDAY}", "month/2026-11"])
def test_a_visit_that_cannot_be_moved_any_more_is_shown_and_says_so_at_once(desk, visit, page):
    desk.open(f"/desk/visit/{visit.id}")
    desk.send(next(form for form in desk.page.forms if form.action.endswith("/cancel")), reason="patient")
    shown = desk.open(f"/desk/{page}?moving={visit.id}")
    assert shown.path == f"/desk/visit/{visit.id}"
    assert "This could not be done: the visit is not at that point." in shown.text
    refreshed = desk.client.get(f"/desk/{page}?moving={visit.id}&poll=", headers={"HX-Request": "true"})
    assert refreshed.headers["HX-Redirect"].startswith(shown.path)
