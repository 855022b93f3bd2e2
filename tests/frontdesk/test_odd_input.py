"""Days, numbers and blanks that nobody means get a clear answer where they were typed, wherever the desk takes any."""

import pytest
from sqlalchemy import select

from portal.accounts.services import StaffRole
from portal.booking.models import Appointment, LegalHold, VisitNote
from portal.scheduling.models import Closure

pytestmark = pytest.mark.both_engines

UNREADABLE = "Write the day like 2026-11-23."
YEAR = "Check the year: write all four digits, like 2026."
FAR_TOO_LARGE = ("9" * 10, "9" * 30)
PLAN = {
    "provider": "1",
    "location": "1",
    "visit_type": "1",
    "opens": "09:00",
    "closes": "12:00",
    "weekday": "TH",
    "rhythm": "FREQ=WEEKLY",
    "valid_from": "2026-11-19",
}
LINK = {"label": "Leaflet", "kind": "print", "destination": "/", "active": "y"}
CALL = {
    "step": "book",
    "name": "Jane Doe",
    "date_of_birth": "5/17/1980",
    "phone": "212 555 0177",
    "red_flags_now": "none",
    "own_time": "yes",
    "own_begins": "10:00",
    "own_provider": "ada",
    "own_location": "east",
    "own_type": "new",
}
IN_AN_ADDRESS = [
    ("/desk/referrals?since=2026-01-01&until=bad", UNREADABLE),
    ("/desk/referrals?until=0001-01-01", YEAR),
    ("/desk/audit?last=9999-12-31", YEAR),
    ("/desk/why?clinician=ada&place=west&day=9999-12-31&time=23:00", YEAR),
]
IN_A_FORM = [
    ("closures", {"first": "2026-11-20", "last": "garbage", "reason": "Ill"}, UNREADABLE),
    ("availability", {**PLAN, "valid_until": "bad"}, UNREADABLE),
    ("referrals/links", {**LINK, "starts": "2026-01-01", "ends": "bad"}, UNREADABLE),
    ("referrals/links", {**LINK, "ends": "9999-12-31"}, YEAR),
    ("book", {**CALL, "own_day": "9999-12-31"}, YEAR),
    ("times/open", {**PLAN, "day": "0206-12-01", "confirmed": "yes"}, YEAR),
    ("times/open", {**PLAN, "day": "9999-12-31", "confirmed": "yes"}, YEAR),
    ("availability", {**PLAN, "rhythm": "another", "rule": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31"}, "falls on no day"),
    *(
        ("availability", {**PLAN, "rhythm": "another", "rule": rule}, "counts too far")
        for rule in (
            f"FREQ=WEEKLY;INTERVAL={'9' * 18}",
            f"FREQ=MONTHLY;BYDAY={'9' * 20}MO",
            f"FREQ=DAILY;UNTIL={'9' * 23}",
        )
    ),
]


@pytest.fixture
def manager(app, staff):
    app.config["PROPAGATE_EXCEPTIONS"] = False  # a fault is a page, as for those who work there
    return staff(StaffRole.MANAGER)


@pytest.fixture
def send(manager):
    """Send to an address of the desk what no field of a browser would."""
    token = manager.open("/desk/").form.values["csrf_token"][0]
    return lambda path, **values: manager.post(f"/desk/{path}", {"csrf_token": token, **values})


def test_a_day_or_rhythm_that_makes_no_sense_is_explained_at_its_field(manager, send):
    answered = [(path, manager.open(path), words) for path, words in IN_AN_ADDRESS]
    answered += [(values, send(path, **values), words) for path, values, words in IN_A_FORM]
    for what, page, words in answered:
        assert (page.status, [words in error for error in page.errors]) == (422, [True]), what


@pytest.mark.parametrize("number", FAR_TOO_LARGE, ids=lambda number: f"{len(number)} digits")
def test_a_number_that_no_database_takes_names_nothing(manager, send, visitor, book, diary, number):
    visit = diary.scalar(select(Appointment.id).where(Appointment.reference == book("2026-11-20 09:00")[1]))
    for path in (f"closures/{number}/reopen", f"mail/{number}/send", f"availability/{number}"):
        assert send(path).status == 404, path
    for path in (f"waitlist?slot={number}", f"book?slot={number}"):
        assert manager.open(f"/desk/{path}").status == 200, path
    assert "Tick the times first" in send("times/change", slot=number, reason="Ill").text
    assert send("book", step=f"hold:{number}").status == 200
    assert send(f"visit/{visit}/status", version=number, status="arrived").status == 400
    visitor.pass_safety()
    assert visitor.hold(number).status == 422


def test_blanks_are_no_reason_no_note_and_no_name_of_a_link(send, book, diary):
    visit = diary.scalar(select(Appointment).where(Appointment.reference == book("2026-11-20 09:00")[1]))
    blank = "  \t "
    for path, values in [
        (f"patients/{visit.patient_id}/hold", {"reason": blank}),
        (f"visit/{visit.id}/note", {"words": blank}),
        ("closures", {"first": "2026-11-23", "reason": blank, "confirmed": "yes"}),
        ("referrals/links", {**LINK, "label": blank}),
    ]:
        assert send(path, **values).status == 422, path
    assert [diary.count(kind) for kind in (LegalHold, VisitNote)] == [0, 0]
    assert diary.count(Closure, Closure.reason == "") == 0
