"""Booking for a caller: on one page, without JavaScript, whatever the caller says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.accounts.services import StaffRole
from portal.audit.models import AuditEntry
from portal.booking.models import Appointment, Patient, PatientRequest, VisitChange, VisitNote
from portal.booking.patients import change_address
from portal.core.clock import now
from portal.core.db import db
from portal.frontdesk import caller_page
from portal.notifications.models import OutgoingMail
from portal.referrals.models import Journey
from portal.referrals.services import Reached, points_of
from portal.scheduling.models import Slot, SlotState, VisitType

CALLER = {"name": "Jane Doe", "date_of_birth": "5/17/1980", "phone": "212 555 0177", "email": "jane@example.com"}
FRIDAY_9 = "2026-11-20 09:00"


def step(person, step="book", **values):
    """Press a button of the call's form."""
    form = next(form for form in person.page.forms if form.action == "/desk/book")
    return person.send(form, step=step, **values)


@pytest.fixture
def call(desk):
    """Begin a call; fill in the caller, the answer, and a time."""

    def call(slot, person=None, answer="none", **details):
        person = person or desk
        person.open(f"/desk/book?slot={slot}")
        return step(person, **{**CALLER, "red_flags_now": answer, **details})

    return call


@pytest.fixture
def visit(app):
    """The one visit there is."""

    def visit():
        with app.app_context():
            found = db.session.scalars(select(Appointment)).one()
            assert found.slot  # loaded, to be looked at later
            return found

    return visit


def actions(diary):
    return diary.all(select(AuditEntry.action).order_by(AuditEntry.id))


@pytest.mark.both_engines
def test_a_caller_is_booked_with_six_fields_and_hears_the_reference_letter_by_letter(desk, call, diary, visit):
    page = call(diary.slot_at(FRIDAY_9))
    assert (page.outcome, page.path.rpartition("/")[0]) == ("booked", "/desk/book/done")
    assert page.reference in page.text
    assert "<b>T</b> Tango" in page.text
    assert "Bring a list of your medicines." in page.text
    assert visit().lane == "consult"
    assert visit().assessment_id is not None
    mail = diary.all(select(OutgoingMail).where(OutgoingMail.kind == "booked"))
    assert [m.may_undo for m in mail] == [True]
    assert mail[0].due_at - mail[0].queued_at == timedelta(minutes=3)
    change = diary.scalar(select(VisitChange))
    assert (change.kind, change.version, change.appointment_id) == ("booked", visit().version, visit().id)
    entry = diary.scalar(select(AuditEntry).where(AuditEntry.action == "booked"))
    assert entry.actor.startswith("staff:")


def test_the_visit_says_once_that_it_was_booked_and_by_whom(desk, call, diary):
    page = call(diary.slot_at(FRIDAY_9))
    history = desk.open(page.link("/desk/visit/")).text.partition('class="history"')[2].partition("</ol>")[0]
    assert history.count("Booked") == 1
    assert "by Test front-desk" in history


def test_without_an_address_nobody_is_mailed_and_the_page_says_so(call, diary):
    page = call(diary.slot_at(FRIDAY_9), email="")
    assert page.outcome == "booked"
    assert "No address" in page.text
    assert diary.mails() == []


@pytest.mark.both_engines
def test_looking_holds_nothing_and_pressing_a_time_holds_it_for_this_call(desk, diary):
    slot = diary.slot_at(FRIDAY_9)
    desk.open(f"/desk/book?slot={slot}")
    assert "Not held yet" in desk.page.text
    assert diary.all(select(Slot.id).where(Slot.state == SlotState.HELD)) == []
    page = step(desk, f"hold:{slot}", name="Jane")
    assert page.outcome == "held"
    assert "Held for this call until <strong>10:10 am EST" in page.text
    assert 'value="Jane"' in page.text
    assert diary.all(select(Slot.id).where(Slot.state == SlotState.HELD)) == [int(slot)]
    step(desk, "other")
    assert diary.all(select(Slot.id).where(Slot.state == SlotState.HELD)) == []


@pytest.mark.both_engines
def test_each_step_renews_the_hold(desk, diary, clock):
    desk.open("/desk/book")
    step(desk, f"hold:{diary.slot_at(FRIDAY_9)}")
    clock.shift(timedelta(minutes=6))
    assert "until <strong>10:16 am EST" in step(desk, "times").text


def test_masking_names_in_the_middle_of_a_call_keeps_what_was_typed(desk):
    desk.open("/desk/book")
    page = step(desk, "mask", name="Kim Caller", date_of_birth="5/17/1980")
    assert "Names on lists are masked" in page.text
    call = next(form for form in page.forms if form.action == "/desk/book")
    assert (call.values["name"], call.values["date_of_birth"]) == (["Kim Caller"], ["5/17/1980"])


def test_later_times_are_one_button_away(desk, diary):
    page = desk.open("/desk/book?type=new")
    form = next(form for form in page.forms if form.action == "/desk/book")
    (later,) = (value for _, value in form.buttons if value.startswith("from:"))
    assert f"hold:{diary.slot_at('2026-11-30 09:00')}" in step(desk, later).text


def test_later_times_leave_no_free_time_out_however_busy_a_day(desk, diary, monkeypatch):
    monkeypatch.setattr(caller_page, "MOST_TIMES", 3)  # of four on each day
    seen, page = [], desk.open("/desk/book?type=new")
    while page:
        steps = [value for form in page.forms for name, value in form.buttons if name == "step"]
        seen += [step.removeprefix("hold:") for step in steps if step.startswith("hold:")]
        later = next((value for value in steps if value.startswith("from:")), None)
        page = step(desk, later) if later else None
    free = select(Slot.id).join(Slot.visit_type).where(Slot.offered, VisitType.code == "new").order_by(Slot.starts_at)
    assert list(dict.fromkeys(seen)) == [str(slot_id) for slot_id in diary.all(free.where(Slot.starts_at > now()))]


def test_staff_see_every_type_and_times_too_near_for_patients(staff, diary, clock):
    clock.move_to("2026-11-23T17:30:00Z")  # half an hour before the first follow-up of the day
    page = staff(StaffRole.FRONT_DESK).open("/desk/book?type=follow-up")
    assert f"hold:{diary.slot_at('2026-11-23 13:00', 'follow-up')}" in page.text
    assert "First consult, 60 min" not in page.text


@pytest.mark.both_engines
def test_a_time_that_somebody_else_has_is_an_ordinary_answer_and_nothing_typed_is_lost(desk, call, diary, book):
    slot = diary.slot_at(FRIDAY_9)
    desk.open(f"/desk/book?slot={slot}")
    book(FRIDAY_9, date_of_birth="1/2/1960", phone="646 555 0100")
    page = step(desk, **CALLER, red_flags_now="none")
    assert (page.status, page.outcome) == (409, "taken")
    assert "has this time. Choose another." in page.text
    assert 'value="jane@example.com"' in page.text
    assert diary.count(Appointment) == 1


def test_a_number_without_its_area_code_is_said_while_the_caller_can_still_be_asked(call, diary):
    page = call(diary.slot_at(FRIDAY_9), phone="555-0142")
    assert (page.status, page.errors) == (422, ["Enter a phone number with its area code, like 212 555 0142."])
    assert diary.count(Appointment) == 0


def test_what_is_missing_is_said_next_to_its_field(desk):
    desk.open("/desk/book")
    page = step(desk, phone="12", email="x")
    assert (page.status, page.outcome) == (422, "invalid")
    assert "Enter the name of the person who comes." in page.errors
    assert "Read the question aloud, then choose the answer." in page.errors
    assert "Choose a time." in page.errors
    assert len(page.errors) == 6


class TestSafety:
    @pytest.mark.parametrize(
        ("sign", "first"), [("thunderclap", "Call 911 now"), ("self_harm", "You matter"), ("co_gas", "Get out")]
    )
    def test_a_sign_shows_what_to_say_books_nothing_and_keeps_what_was_typed(self, call, desk, diary, sign, first):
        page = call(diary.slot_at(FRIDAY_9), answer=sign)
        assert page.outcome == "emergency"
        assert page.heading.startswith(first)
        assert diary.count(Appointment) == 0
        entry = diary.scalar(select(AuditEntry).where(AuditEntry.action == "caller-sent-to-emergency"))
        assert sign not in str([entry.subject, entry.details])
        page = step(desk, "slip")
        assert 'value="Jane Doe"' in page.text
        assert step(desk, red_flags_now="none").outcome == "booked"

    def test_a_first_consult_needs_the_answer_and_a_follow_up_does_not(self, call, desk, diary, visit):
        page = call(diary.slot_at(FRIDAY_9), answer="not-asked")
        assert page.status == 422
        assert "A first visit needs the answer" in page.errors[0]
        assert call(diary.slot_at("2026-11-23 13:00", "follow-up"), answer="not-asked").outcome == "booked"
        assert (visit().lane, visit().assessment_id) == (None, None)


@pytest.mark.both_engines
class TestWhoCalls:
    @pytest.fixture(autouse=True)
    def jane(self, book):
        """Jane Doe has a visit on Friday at 9."""
        self.link, self.reference = book(FRIDAY_9, name="Jane Doe", email="jane@example.com")

    def test_likely_the_same_is_asked_before_anything_is_booked(self, call, desk, diary):
        page = call(diary.slot_at("2026-11-23 13:00", "follow-up"), email="", phone="646 555 0100")
        assert (page.status, diary.count(Appointment)) == (422, 1)
        assert "Is it one of these?" in page.text
        form = next(form for form in page.forms if form.action == "/desk/book")
        (use,) = (value for _, value in form.buttons if value.startswith("use:"))
        page = step(desk, use, red_flags_now="none")
        assert "Known patient" in page.text
        assert step(desk, phone="646 555 0100").outcome == "booked"
        assert diary.count(Patient) == 1
        assert diary.scalar(select(Patient)).phone == "+16465550100"  # the caller has a new number

    def test_what_a_colleague_corrects_during_the_call_stays(self, desk, diary, app):
        patient = diary.scalar(select(Patient))
        desk.open(f"/desk/book?patient={patient.id}&slot={diary.slot_at('2026-11-23 13:00', 'follow-up')}")
        with app.app_context():
            change_address(patient.id, "new@example.com")
        assert step(desk, phone="646 555 0100", red_flags_now="none").outcome == "booked"
        known = diary.scalar(select(Patient))
        assert (known.email, known.phone) == ("new@example.com", "+16465550100")

    def test_somebody_new_is_somebody_new(self, call, desk, diary):
        call(diary.slot_at("2026-11-23 13:00", "follow-up"), phone="646 555 0100", email="")
        assert step(desk, "book-new", red_flags_now="none").outcome == "booked"
        assert diary.count(Patient) == 2

    def test_another_name_typed_over_a_known_patient_is_not_that_patient(self, desk, diary):
        patient = diary.scalar(select(Patient.id))
        desk.open(f"/desk/book?patient={patient}&slot={diary.slot_at('2026-11-23 13:00', 'follow-up')}")
        assert 'value="5/17/1980"' in desk.page.text
        step(desk, name="John Roe", date_of_birth="1/2/1960", phone="646 555 0100", email="", red_flags_now="none")
        assert diary.count(Patient) == 2
        assert diary.all(select(Patient.name).order_by(Patient.name)) == ["Jane Doe", "John Roe"]

    def test_a_second_visit_of_a_kind_shows_the_first_and_can_be_booked_anyway(self, desk, diary):
        patient = diary.scalar(select(Patient.id))
        desk.open(f"/desk/book?patient={patient}&slot={diary.slot_at('2026-11-20 10:00')}")
        page = step(desk, red_flags_now="none")
        assert (page.status, page.outcome) == (409, "limited")
        assert self.reference in page.text
        first = diary.scalar(select(Appointment.id))
        assert f"/desk/day/2026-11-20?moving={first}" in page.links
        assert step(desk, "book-another", red_flags_now="none").outcome == "booked"
        assert diary.count(Appointment) == 2


@pytest.mark.both_engines
def test_a_form_sent_twice_books_once_and_gets_the_same_page(desk, diary):
    desk.open(f"/desk/book?slot={diary.slot_at(FRIDAY_9)}")
    form = next(form for form in desk.page.forms if form.action == "/desk/book")
    sent = {**CALLER, "red_flags_now": "none", "step": "book"}
    pages = [desk.send(form, **sent) for _ in range(2)]
    assert pages[0].path == pages[1].path
    assert diary.count(Appointment) == diary.count(VisitChange) == 1


@pytest.mark.both_engines
def test_a_request_is_answered_by_the_booking(desk, visitor, diary, visit):
    visitor.pass_safety()
    visitor.open("/request/time")
    visitor.send(name="Rae Request", phone="646 555 0111", weekdays="4", parts_of_day="morning")
    page = desk.open(desk.open("/desk/requests").link("/desk/book?request="))
    assert 'value="Rae Request"' in page.text
    assert "What suits: Mornings, Friday" in page.text
    page = step(desk, f"hold:{diary.slot_at(FRIDAY_9)}", date_of_birth="1/2/1960")
    assert step(desk, red_flags_now="none").outcome == "booked"
    request = diary.scalar(select(PatientRequest))
    assert request.outcome == "booked"
    assert visit().journey_id == request.journey_id  # what the person had answered before belongs to the visit


@pytest.mark.parametrize(
    "answers", [{"red_flags_now": "neuro"}, {"age_band": "65_plus", "headache_behaviour": ["jaw_chew", "vision_dim"]}]
)
def test_an_emergency_of_last_week_keeps_nobody_from_a_visit_and_goes_along_with_none(
    desk, visitor, diary, visit, clock, answers
):
    visitor.answer(**answers)
    visitor.open("/request/call-back")
    visitor.send(name="Rae Request", phone="646 555 0111")
    clock.shift(7 * 24 * 3600)
    desk.sign_in()
    desk.open(desk.open("/desk/requests").link("/desk/book?request="))
    step(desk, f"hold:{diary.slot_at('2026-11-30 09:00')}", date_of_birth="1/2/1960")
    assert step(desk, red_flags_now="none").outcome == "booked"
    assert visit().lane == "consult"


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_code_from_a_leaflet_counts_for_who_gave_it(desk, visitor, diary, visit, asked_before):
    visitor.open("/request/call-back")
    visitor.send(name="Jane Doe", phone="212 555 0177")
    desk.open(desk.open("/desk/requests").link("/desk/book?request=") if asked_before else "/desk/book")
    step(desk, f"hold:{diary.slot_at(FRIDAY_9)}")
    page = step(desk, **CALLER, red_flags_now="none", code="nonsense")
    assert page.errors == ["No leaflet or letter has this code. Read it again, or leave it empty."]
    assert diary.count(Appointment) == 0
    assert step(desk, red_flags_now="none", code="LEAFLET").outcome == "booked"
    journey = diary.scalar(select(Journey).where(Journey.id == visit().journey_id))
    assert journey.link_code == "leaflet"
    assert (journey.id == diary.scalar(select(PatientRequest.journey_id))) is asked_before
    assert points_of(journey.reached) == {Reached.LANDED, Reached.BOOKED}  # an answer on the phone begins no check


@pytest.mark.both_engines
class TestOwnTime:
    OWN = {"own_provider": "ada", "own_location": "east", "own_type": "new", "own_day": "2026-11-20"}

    def book_at(self, desk, begins, **values):
        desk.open("/desk/book?at=2026-11-20T09:00&clinician=ada&place=east")
        return step(desk, **{**CALLER, "red_flags_now": "none", **self.OWN, "own_begins": begins, **values})

    def test_a_time_that_is_not_offered_needs_a_reason_and_free_times_in_it_come_back(self, desk, diary, visit):
        page = self.book_at(desk, "09:30")
        assert page.status == 422
        assert "Say why you book it nevertheless." in page.errors[0]
        assert self.book_at(desk, "09:30", own_reason="Flies out at noon").outcome == "booked"
        assert diary.scalar(select(VisitNote.words)) == "Flies out at noon"
        offered = select(Slot.begins).where(Slot.day == visit().slot.day, Slot.offered).order_by(Slot.begins)
        assert [begins.hour for begins in diary.all(offered)] == [11, 12]
        desk.open(f"/desk/visit/{visit().id}")
        desk.send(next(form for form in desk.page.forms if form.action.endswith("/cancel")), reason="patient")
        assert [begins.hour for begins in diary.all(offered)] == [9, 10, 11, 12]

    def test_a_free_time_on_offer_is_booked_as_it_is_without_a_reason(self, desk, diary, visit):
        assert self.book_at(desk, "10:00").outcome == "booked"
        assert str(visit().slot_id) == diary.slot_at("2026-11-20 10:00")

    @pytest.mark.parametrize(
        ("values", "says"),
        [
            ({"own_begins": "09:30"}, "Ada Test, MD has a visit from 9:00 am to 10:00 am."),
            ({"own_begins": "10:30"}, "holds until"),
            ({"own_day": "2026-11-17"}, "This time has passed."),
            ({"own_day": "2027-03-14", "own_begins": "02:30"}, "2:30 am does not exist on Sunday, March 14"),
            ({"own_begins": ""}, "Choose clinician, place and type, and enter day and time."),
        ],
    )
    def test_a_time_that_nobody_can_have_is_refused_in_words(self, desk, diary, book, visitor, values, says):
        book(FRIDAY_9)
        visitor.pass_safety()
        visitor.hold(diary.slot_at("2026-11-20 10:00"))
        page = self.book_at(desk, **{"begins": "09:30", "own_reason": "Must", **values})
        assert (page.status, says in page.text) == (422, True), page.errors
        assert diary.count(Appointment) == 1

    def test_a_walk_in_is_there_at_once_and_gets_no_mail(self, desk, diary, visit):
        page = desk.open("/desk/book?at=now&place=west&clinician=ben&type=follow-up")
        form = next(form for form in page.forms if form.action == "/desk/book")
        assert (form.values["own_day"], form.values["own_begins"]) == ([""], [""])  # now, when it is sent
        step(
            desk,
            **CALLER,
            own_provider="ben",
            own_location="west",
            own_type="follow-up",
            own_reason="In pain",
            red_flags_now="none",
        )
        assert (visit().status, visit().arrived_at is not None) == ("arrived", True)
        assert (visit().slot.day.isoformat(), f"{visit().slot.begins:%H:%M}") == ("2026-11-18", "07:05")
        assert diary.mails() == []
        assert "None: read the reference out" in desk.page.text

    def test_nobody_is_here_on_another_day_and_without_the_tick_it_is_a_visit_to_come(self, desk, diary, visit):
        desk.open("/desk/book?at=now")
        page = step(desk, **CALLER, **self.OWN, own_begins="10:00", red_flags_now="none")
        assert (page.status, page.outcome) == (422, "invalid")
        assert page.errors == ["Nobody is here on another day: choose today, or untick “Is here now”."]
        assert 'value="2026-11-20"' in page.text
        assert (diary.count(Appointment), diary.count(Patient)) == (0, 0)
        assert step(desk, is_here=[]).outcome == "booked"
        assert (visit().status, diary.mails()) == ("booked", ["booked"])

    def test_a_walk_in_is_seen_by_who_is_at_work_and_at_the_time_of_the_place_that_is_chosen(
        self, staff, diary, clock, visit
    ):
        clock.move_to("2026-11-24T17:30:00Z")  # a Tuesday, on which only the west has patients
        desk = staff(StaffRole.FRONT_DESK)
        form = next(form for form in desk.open("/desk/book?at=now").forms if form.action == "/desk/book")
        assert (form.values["own_provider"], form.values["own_location"]) == (["ben"], ["west"])
        clock.shift(timedelta(minutes=9))  # while everything else is typed
        there = {"own_provider": "ada", "own_location": "east", "own_type": "follow-up", "own_reason": "In pain"}
        assert step(desk, **CALLER, **there, red_flags_now="none").outcome == "booked"
        assert f"{visit().slot.begins:%H:%M}" == "12:40"


def test_only_the_desk_and_managers_book_callers_and_see_all_patients(staff):
    clinician = staff(StaffRole.CLINICIAN)
    for path in ("/desk/book", "/desk/why", "/desk/patients/00000000-0000-0000-0000-000000000000"):
        assert clinician.open(path).status == 403
    assert not any("/desk/book" in link for link in clinician.open("/desk/requests").links)
