"""What the desk does to a visit: each step once, by who may, never over a colleague's head, and the way back."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.booking.models import Patient, VisitChange, VisitNote
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.notifications.services import note_bounce
from portal.referrals.models import Milestone
from portal.scheduling.models import Provider, Slot, SlotState
from tests.frontdesk.pressing import BEGINS, DAY, LATER, Press


@pytest.mark.both_engines
def test_a_visit_goes_from_booked_to_done_and_each_step_says_who_and_when(made, at, diary):
    at(f"{DAY} 08:50", made)
    made.press("/status", status="arrived")
    at(f"{DAY} 09:05", made)
    assert "15 minutes ago" in made.person.page.text
    made.press("/status", status="checked-in")
    at(f"{DAY} 09:40", made)
    page = made.press("/status", status="fulfilled")
    for line in ("Arrived Friday, November 20, 8:50 am EST by Test front-desk", "In the room Friday", "Done Friday"):
        assert line in page.text
    assert diary.count(Milestone, Milestone.kind == "attended") == 1


@pytest.mark.both_engines
def test_a_step_pressed_by_mistake_is_undone_as_if_it_had_not_been(made, at, diary):
    at(f"{DAY} 08:50", made)
    made.press("/status", status="arrived")
    page = made.press("/undo")
    assert (made.visit.status, made.visit.arrived_at) == ("booked", None)
    assert "Arrived (undone)" in page.text
    assert diary.count(Milestone, Milestone.kind == "attended") == 0


def test_a_note_that_goes_with_a_step_is_kept_once_also_where_the_step_cannot_be_taken(made, at, diary):
    at("2026-11-19 09:00", made)
    for _ in range(2):
        page = made.try_("status", version="1", status="arrived", words="Comes with a wheelchair")
    assert "This could not be done" in page.text
    assert diary.scalar(select(VisitNote)).words == "Comes with a wheelchair"
    assert diary.count(VisitNote) == 1


def test_a_note_that_goes_with_an_outdated_step_is_written_once(made, at, diary, clock):
    at(f"{DAY} 08:50", made)
    made.press("/status", status="arrived")
    page = made.try_("status", version="1", status="checked-in", words="Comes with a wheelchair")
    assert page.status == 409
    clock.shift(timedelta(minutes=4))
    made.person.send(next(form for form in page.forms if form.action.endswith("/status")))
    assert (made.visit.status, diary.count(VisitNote)) == ("checked-in", 1)


def test_nobody_arrives_the_day_before_or_fails_to_come_before_it_begins(made, at):
    at("2026-11-19 09:00", made)
    for status in ("arrived", "noshow"):
        assert "This could not be done: it is not today" in made.try_("status", version="1", status=status).text
    at(f"{DAY} 09:30", made)
    made.press("/status", status="noshow")
    assert made.visit.status == "noshow"
    made.press("/undo")
    assert made.visit.status == "booked"


@pytest.mark.both_engines
class TestMoving:
    @pytest.fixture
    def moved(self, made, sent, diary):
        sent()
        made.try_("move", version="1", slot=diary.slot_at(LATER))
        return made

    def test_keeps_the_row_frees_the_old_time_and_waits_three_minutes_to_tell(self, moved, sent, clock, diary):
        assert diary.booked_slots() == [int(diary.slot_at(LATER))]
        assert len(sent()) == 1
        clock.shift(timedelta(minutes=3))
        assert sent()[1:] == ["Your appointment is now on Monday, November 23"]

    def test_undone_in_time_nobody_hears_and_the_old_time_is_taken_again(self, moved, sent, clock, diary):
        moved.press("/undo")
        clock.shift(timedelta(minutes=10))
        assert diary.booked_slots() == [int(diary.slot_at(BEGINS))]
        assert len(sent()) == 1

    def test_undone_after_the_mail_has_left_the_patient_hears_of_it(self, moved, sent, clock):
        clock.shift(timedelta(minutes=4))
        sent()
        moved.press("/undo")
        assert sent()[-1] == "Your appointment on Friday, November 20"

    def test_is_not_undone_into_a_time_that_is_over_once_the_patient_has_heard(self, moved, sent, at, diary):
        at(BEGINS, moved)
        sent()
        assert "Undo" not in moved.look().text
        page = moved.person.post(
            f"/desk/changes/{diary.scalar(select(VisitChange.id))}/undo", {"csrf_token": moved.token}
        )
        assert "the patient has been told by now" in page.text
        assert str(moved.visit.slot_id) == diary.slot_at(LATER)

    def test_is_not_undone_into_a_time_that_somebody_else_has_by_now(self, moved, book, diary):
        book(BEGINS)
        assert "Its time is taken by now" in moved.press("/undo").text
        assert str(moved.visit.slot_id) == diary.slot_at(LATER)

    def test_into_a_time_that_is_gone_leaves_the_visit_where_it_was(self, made, book, diary):
        book(LATER)
        page = made.try_("move", version="1", slot=diary.slot_at(LATER))
        assert "Somebody else has just taken that time" in page.text
        assert str(made.visit.slot_id) == diary.slot_at(BEGINS)


def test_the_reference_to_read_out_says_what_became_of_the_mail(made, sent, diary, at):
    def mail():
        sent()
        page = made.person.open(f"/desk/book/done/{made.id}")
        made.look()
        return re.findall(r"<dt>Mail</dt><dd>.*?>(.*?)</dd>", page.text)

    assert mail() == ["sent</span> just now to person1@example.com"]
    at(f"{DAY} 08:50", made)
    made.press("/status", status="arrived")
    assert mail() == ["sent</span> 1 day ago to person1@example.com"]
    made.press("/undo")
    made.try_("move", version="3", slot=diary.slot_at(LATER))
    assert mail() == ["queued</span> leaves Friday, November 20, 8:53 am EST to person1@example.com"]
    made.press("/withhold")
    assert mail() == ["withheld</span> "]
    made.press("/cancel", reason="patient")
    assert mail() == []


def forget_address(made):
    with made.diary.app.app_context():
        db.session.get(Patient, made.visit.patient_id).email = None
        db.session.commit()


def test_who_has_no_address_is_to_be_told_by_phone_and_no_mail_is_offered(made, diary):
    forget_address(made)
    made.try_("move", version="1", slot=diary.slot_at(LATER))
    bar = made.look().text.partition('id="recent"')[2].partition("</ul>")[0]
    assert "There is no e-mail address: tell the patient by phone." in bar
    assert "Undo" in bar
    assert not [form for form in made.person.page.forms if form.action.startswith("/desk/mail/")]


@pytest.mark.both_engines
def test_who_gets_an_address_after_a_move_hears_the_time_that_stands(made, diary, sent, clock):
    forget_address(made)
    made.try_("move", version="1", slot=diary.slot_at(LATER))
    clock.shift(timedelta(minutes=4))
    assert sent() == []
    assert "Save, and mail the confirmation" in made.look().text
    made.press("/address", email="jane@example.com")
    clock.shift(timedelta(minutes=4))
    assert sent() == ["Your appointment on Monday, November 23"]


def test_a_mail_that_came_back_is_not_offered_again_once_there_is_no_address(made, diary, sent):
    sent()
    mail_id = diary.scalar(select(OutgoingMail.id).where(OutgoingMail.kind == "booked"))
    with diary.app.app_context():
        note_bounce(mail_id, "550 no such mailbox")
    forget_address(made)
    page = made.person.open("/desk/mail/")
    assert "no e-mail" in page.text
    assert [form.action for form in page.forms if form.action.startswith("/desk/mail/")] == [
        f"/desk/mail/{mail_id}/settle"
    ]


@pytest.mark.parametrize(
    ("path", "values"),
    [("status", {"status": "arrived"}), ("cancel", {"reason": "patient", "words": "moves away"}), ("move", {})],
)
@pytest.mark.both_engines
def test_who_looked_before_a_colleague_changed_the_visit_sees_both_and_decides(made, diary, at, path, values):
    other = {"slot": diary.slot_at("2026-11-25 11:00")} if path == "move" else values
    made.try_("move", version="1", slot=diary.slot_at(LATER))
    at("2026-11-23 10:50", made)
    page = made.try_(path, version="1", **other)
    assert (page.status, page.heading) == (409, "Somebody has changed this visit in the meantime")
    for fact in ("Friday, November 20, 9:00", "Monday, November 23, 11:00", values.get("words", "")):
        assert fact in page.text
    again = next(form for form in page.forms if form.action.endswith(path))
    made.person.send(again, csrf_token=made.token)
    assert made.visit.version == 3


@pytest.mark.parametrize(
    ("path", "values", "done"),
    [
        ("cancel", {"reason": "patient", "words": "Will call again"}, "cancelled"),
        ("status", {"status": "arrived"}, "arrived"),
        ("move", {"slot": LATER}, "moved"),
    ],
)
def test_a_second_press_of_ones_own_is_answered_like_the_first(made, diary, at, path, values, done):
    at(f"{DAY} 08:50", made)
    values = {name: diary.slot_at(value) if name == "slot" else value for name, value in values.items()}
    for _ in range(2):
        page = made.try_(path, version="1", **values)
        assert (page.status, page.path) == (200, f"/desk/visit/{made.id}")
    assert diary.all(select(VisitChange.kind)) == [done]
    assert diary.count(VisitNote) == (1 if "words" in values else 0)


def test_a_second_press_for_another_reason_or_by_a_colleague_is_told_what_has_changed(made, staff):
    made.try_("cancel", version="1", reason="patient")
    assert made.try_("cancel", version="1", reason="clinic").status == 409
    colleague = Press(staff(StaffRole.MANAGER), made.diary, made.visit.reference)
    assert colleague.try_("cancel", version="1", reason="patient").status == 409


def test_a_note_sent_twice_is_one_and_the_same_words_on_another_day_are_another(made, diary, clock):
    for _ in range(2):
        made.try_("note", words="No answer")
    assert diary.count(VisitNote) == 1
    clock.shift(timedelta(hours=1))
    made.sign_in()
    made.try_("note", words="No answer")
    assert diary.count(VisitNote) == 2


def test_what_cannot_be_done_any_more_is_not_offered_all_the_same(made, at):
    at(f"{DAY} 08:50", made)
    made.try_("cancel", version="1", reason="patient")
    for path, values in (("status", {"status": "arrived"}), ("cancel", {"reason": "clinic"})):
        page = made.try_(path, version="1", **values)
        assert page.status == 409
        assert "all the same" not in page.text
        assert "this cannot be done any more" in page.text


def test_a_note_is_for_colleagues_and_stays_as_it_was_written(made):
    assert made.press("/note", words="").errors == ["Write the note."]
    page = made.press("/note", words="Comes with <her> mother")
    assert "Comes with &lt;her&gt; mother" in page.text
    assert "Test front-desk, Wednesday, November 18" in page.text


def test_an_address_mistyped_at_its_correction_is_there_to_be_put_right(made):
    page = made.press("/address", email="jane@example,com")
    assert (page.status, page.errors) == (422, ["Enter an e-mail address, like name@example.com."])
    assert next(form for form in page.forms if form.action.endswith("/address")).values["email"] == ["jane@example,com"]
    made.press("/address", email="jane@example.com")
    assert "jane@example.com" in made.look().text


def test_from_a_form_answered_with_an_error_the_way_back_is_the_visit(made, clock):
    assert made.press("/cancel").status == 422
    shown = {"Referer": f"http://127.0.0.1:8000/desk/visit/{made.id}/cancel"}
    token = {"csrf_token": made.person.page.form.values["csrf_token"][0]}
    page = made.person.post("/desk/mask", token, headers=shown)
    assert (page.status, page.path) == (200, f"/desk/visit/{made.id}")
    clock.shift(timedelta(minutes=16))
    page = made.person.post(f"/desk/visit/{made.id}/cancel", token, headers=shown)
    assert (page.path, page.form.values["next"]) == ("/desk/sign-in", [f"/desk/visit/{made.id}"])
    part = {**shown, "HX-Request": "true", "HX-Current-URL": shown["Referer"]}
    answer = made.person.client.post("/desk/find", data=token, headers=part)
    assert answer.headers["HX-Redirect"] == f"/desk/sign-in?next=/desk/visit/{made.id}"


def test_a_booking_of_which_the_patient_has_heard_is_not_undone_but_cancelled(desk, diary, sent, clock):
    desk.open(f"/desk/book?slot={diary.slot_at(BEGINS)}")
    caller = {"name": "Jane Doe", "date_of_birth": "5/17/1980", "phone": "212 555 0177", "email": "jane@example.com"}
    call = next(form for form in desk.page.forms if form.action == "/desk/book")
    made = Press(desk, diary, desk.send(call, step="book", red_flags_now="none", **caller).reference)
    assert "Undo “booked”" in desk.page.text
    undo = next(form for form in desk.page.forms if form.action.endswith("/undo"))
    clock.shift(timedelta(minutes=4))
    sent()
    assert "Undo" not in made.look().text
    assert "the patient has been told by now" in desk.send(undo).text
    made.look()
    made.press("/cancel", reason="clinic")
    made.press("/undo")
    assert made.visit.status == "booked"


def test_what_cannot_be_undone_is_said(made, diary, at):
    at(f"{DAY} 08:50", made)
    made.press("/status", status="arrived")
    change = diary.scalar(select(VisitChange.id))
    made.press("/status", status="checked-in")
    page = made.person.post(f"/desk/changes/{change}/undo", {"csrf_token": made.token})
    assert "nothing was done" in page.text
    assert made.visit.status == "checked-in"
    assert made.person.post(f"/desk/changes/{made.id}/undo", {"csrf_token": made.token}).status == 404


class TestAClinician:
    @pytest.fixture
    def clinician(self, app, staff):
        person = staff(StaffRole.CLINICIAN)
        with app.app_context():
            ada = db.session.scalar(select(Provider.id).where(Provider.code == "ada"))
            db.session.scalars(select(User)).one().provider_id = ada
            db.session.commit()
        return person

    def test_says_who_is_in_the_room_and_done_and_nothing_else(self, clinician, diary, book, at):
        visit = Press(clinician, diary, book(BEGINS)[1])
        at(f"{DAY} 09:00", visit)
        assert {form.action.rpartition("/")[2] for form in clinician.page.forms} == {
            "find",
            "sign-out",
            "status",
            "note",
        }
        assert visit.try_("status", version="1", status="arrived").status == 403
        assert visit.try_("cancel", version="1", reason="patient").status == 403
        assert visit.try_("status", version="1", status="checked-in").status == 200
        assert visit.visit.status == "checked-in"

    def test_is_offered_the_way_back_of_an_own_step_and_of_no_others(self, clinician, desk, diary, book, at):
        visit = Press(clinician, diary, book(BEGINS)[1])
        at(f"{DAY} 09:00", visit)
        front_desk = Press(desk, diary, visit.visit.reference)
        front_desk.press("/status", status="arrived")
        assert "Undo" not in visit.look().text
        visit.press("/status", status="checked-in")
        visit.press("/undo")
        assert visit.visit.status == "arrived"

    def test_finds_others_visits_as_missing_as_those_that_do_not_exist(self, clinician, diary, book):
        visit = Press(clinician, diary, book("2026-11-19 13:00", code="call")[1])
        assert visit.look().status == 404
        assert visit.try_("status", version="1", status="fulfilled").status == 404
        assert clinician.open(f"/desk/visit/{visit.id}/brief").status == 404


@pytest.mark.both_engines
def test_slots_of_visits_that_are_done_stay_taken(made, at, diary):
    at(f"{DAY} 09:00", made)
    made.press("/status", status="fulfilled")
    assert diary.count(Slot, Slot.state == SlotState.BOOKED) == 1
