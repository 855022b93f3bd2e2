"""From the free times to the confirmation, by somebody with a browser without JavaScript."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from portal.booking import changes, services
from portal.booking.models import Appointment, BookingDraft
from portal.core import clock as portal_clock
from portal.core.db import db
from portal.notifications.models import OutgoingMail
from portal.scheduling.models import Clinic, Slot, SlotState


def count(app, model, *where):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(model).where(*where))


def change_slot(app, slot_id, **values):
    with app.app_context():
        db.session.execute(update(Slot).where(Slot.id == int(slot_id)).values(**values))
        db.session.commit()


def test_booking_without_the_assessment_asks_the_safety_question_first(visitor):
    page = visitor.open("/book/")
    assert page.path == "/book/safety"
    assert visitor.send().status == 422  # this one question cannot be skipped
    assert visitor.send(red_flags_now="none").path == "/book/"


def test_a_warning_sign_at_the_safety_question_leads_to_the_emergency_page_and_no_times(visitor):
    visitor.open("/book/")
    assert visitor.send(red_flags_now="neuro").outcome == "emergency"
    assert visitor.open("/book/").outcome == "emergency"


def test_a_warning_sign_ticked_by_a_slip_leads_back_to_the_times_and_a_true_one_does_not(visitor):
    visitor.open("/book/")
    visitor.send(red_flags_now="vision")
    for answer, leads_to in (("neuro", "/assessment/result"), ("none", "/book/")):
        visitor.open("/assessment/red_flags_now")
        assert visitor.send(red_flags_now=answer).path == leads_to


def test_the_first_free_time_is_named_in_the_first_line(patient):
    page = patient.open("/book/")
    assert "First open time: <strong>Wednesday, November 18, 12:00 pm EST</strong>, East" in page.text
    assert page.text.index("Wednesday, November 18") < page.text.index("Friday, November 20")


@pytest.mark.both_engines
def test_a_time_is_held_the_details_kept_and_the_visit_booked_once(patient, app):
    patient.hold()
    assert (patient.page.path, patient.page.outcome) == ("/book/details", "held")
    assert "yours until <strong>10:10 am EST</strong>" in patient.page.text
    patient.fill_in(note="I use a wheelchair")
    assert patient.page.path == "/book/check"
    assert "I use a wheelchair" in patient.page.text
    confirm = patient.page.form
    page = patient.send()
    assert (page.path, page.outcome) == ("/book/confirmed", "booked")
    assert page.reference.startswith("TST-")

    again = patient.post(confirm.action, confirm.values)  # the same form, sent a second time
    assert (again.outcome, again.reference) == ("booked", page.reference)
    assert count(app, Appointment) == 1
    assert count(app, OutgoingMail) == 1


@pytest.mark.both_engines
def test_a_form_that_was_under_way_when_its_visit_was_cancelled_books_nothing_more(patient, app):
    patient.hold()
    patient.fill_in()
    with app.app_context():
        draft = db.session.scalar(select(BookingDraft))
    patient.send()
    with app.app_context():
        visit_id = db.session.scalar(select(Appointment.id))
        changes.cancel(visit_id, "other")
        form = (draft.journey_id, draft.slot_id, services.Details.from_json(draft.details), draft.idempotency_key)
        assert services.book(*form).id == visit_id
    assert count(app, Appointment) == 1
    assert count(app, Slot, Slot.state == SlotState.BOOKED) == 0


def test_after_booking_the_old_pages_lead_to_what_was_booked(patient):
    reference = patient.book().reference
    for path in ("/book/details", "/book/check"):
        assert patient.open(path).reference == reference


def test_a_form_whose_cookie_has_ended_can_be_sent_once_more_with_all_that_was_typed(patient):
    patient.hold()
    form = patient.page.form
    with patient.client.session_transaction() as session:
        del session["csrf_token"]
    own = {"Origin": "http://127.0.0.1:8000"}
    page = patient.post(form.action, {**form.values, **patient.DETAILS, "note": 'a "quoted" <note>'}, headers=own)
    assert (page.status, page.outcome) == (400, "expired")
    assert patient.send().path == "/book/check"
    assert "a &#34;quoted&#34; &lt;note&gt;" in patient.page.text


def test_a_form_whose_cookies_were_all_deleted_says_that_its_booking_begins_anew_as_it_does(patient):
    patient.hold()
    form = patient.page.form
    patient.client._cookies.clear()
    own = {"Origin": "http://127.0.0.1:8000"}
    page = patient.post(form.action, {**form.values, **patient.DETAILS}, headers=own)
    assert (page.outcome, page.heading) == ("expired", "We ask you to send this again")
    assert "which booking or check this belongs to, it begins anew" in page.text
    assert patient.send().path == "/book/safety"


def test_the_safety_question_of_a_booking_speaks_of_no_skip_that_it_has_not(visitor):
    visitor.open("/book/")
    assert visitor.send().errors == ["Tick what fits, or None of these."]


def test_what_is_too_near_to_be_changed_online_is_not_promised_to_be(patient, app):
    patient.hold()
    assert "How may we reach you?</dt><dd>Phone call" in patient.fill_in().text
    assert "The confirmation mail says how" in patient.page.text
    with app.app_context():
        db.session.execute(update(Clinic).values(change_cutoff_minutes=3 * 60))
        db.session.commit()
    assert "that is done by phone only" in patient.open("/book/check").text
    page = patient.send()
    assert page.outcome == "booked"
    assert "See this visit" in page.text
    assert "To change or cancel this one, call us" in page.text
    assert not any("/earlier" in link for link in page.links)


def test_who_has_a_visit_too_near_to_move_is_not_told_to_move_it(patient, app):
    assert patient.book().outcome == "booked"
    assert "move it" in patient.book().text
    with app.app_context():
        db.session.execute(update(Clinic).values(change_cutoff_minutes=30 * 24 * 60))
        db.session.commit()
    assert "It is too near to change its time here" in patient.book().text


def test_a_form_sent_from_another_site_is_not_given_back_to_be_confirmed(patient):
    patient.hold()
    foreign = {"Origin": "https://evil.example"}
    page = patient.post(patient.page.form.action, patient.DETAILS, headers=foreign)
    assert (page.status, page.forms) == (400, [])


@pytest.mark.both_engines
def test_a_taken_time_is_an_ordinary_answer_with_the_nearest_free_times(patient, other, app):
    slot = patient.free_slots()[2]
    patient.hold(slot)
    page = other.hold(slot)
    assert (page.status, page.outcome) == (409, "taken")
    nearest = other.free_slots()
    assert slot not in nearest
    assert other.send(slot=nearest[0]).path == "/book/details"


def test_what_was_changed_in_another_tab_is_shown_and_booked_only_when_it_was_looked_at(patient, diary):
    patient.hold(patient.free_slots()[0])
    patient.fill_in(name="Mother Doe")
    button_of_one_tab = patient.page.form
    patient.open("/book/")
    other_time = patient.free_slots()[5]
    patient.hold(other_time)
    patient.fill_in(name="Child Doe")
    page = patient.send(button_of_one_tab)
    assert (page.status, diary.count(Appointment)) == (409, 0)
    assert "Nothing is booked yet" in page.text
    assert "Child Doe" in page.text
    assert patient.send().outcome == "booked"
    assert diary.scalar(select(Appointment.slot_id)) == int(other_time)
    assert patient.send(button_of_one_tab).path == "/book/"  # never "you are booked" for what was not
    assert "You have a visit on" in patient.page.text


def test_who_sits_at_a_shared_computer_an_hour_later_sees_nothing_of_the_visit(patient, clock):
    patient.book()
    clock.shift(timedelta(hours=2))
    assert patient.open("/book/confirmed").status == 404
    assert "You have a visit" not in patient.open("/book/").text


@pytest.mark.both_engines
def test_a_hold_that_ran_out_loses_nothing_and_the_time_is_taken_again_if_free(patient, clock):
    patient.hold()
    clock.shift(timedelta(minutes=11))
    assert "The 10 minutes are over" in patient.open("/book/details").text
    assert patient.fill_in().path == "/book/check"
    assert patient.send().outcome == "booked"


@pytest.mark.both_engines
def test_a_hold_that_ran_out_and_was_taken_keeps_the_details_for_the_next_choice(patient, other, clock):
    slot = patient.free_slots()[3]
    patient.hold(slot)
    patient.fill_in()
    clock.shift(timedelta(minutes=11))
    check = patient.page.form
    assert other.hold(slot).outcome == "held"
    assert patient.open("/book/check").outcome == patient.open("/book/details").outcome == "taken"
    assert patient.send(check).outcome == "taken"
    patient.send(slot=patient.free_slots()[0])
    assert patient.page.form.values["name"] == ["Jane Doe"]


@pytest.mark.both_engines
@pytest.mark.parametrize(("minutes", "outcome"), [(9, "taken"), (10, "held")])
def test_a_hold_lasts_ten_minutes_to_the_moment(patient, other, clock, minutes, outcome):
    slot = patient.free_slots()[3]
    patient.hold(slot)
    clock.shift(timedelta(minutes=minutes))
    assert other.hold(slot).outcome == outcome


@pytest.mark.both_engines
def test_who_holds_a_time_may_book_it_though_the_notice_runs_out_meanwhile(patient, other, clock):
    soonest = patient.free_slots()[0]  # at noon, just the two hours of notice from now
    patient.hold(soonest)
    clock.shift(timedelta(minutes=5))
    assert patient.fill_in().path == "/book/check"
    clock.shift(timedelta(minutes=11))
    assert other.hold(soonest).outcome == "taken"
    assert patient.send().outcome == "booked"


def test_each_step_renews_the_hold(patient, other, clock):
    slot = patient.free_slots()[0]
    patient.hold(slot)
    clock.shift(timedelta(minutes=9))
    patient.fill_in()
    clock.shift(timedelta(minutes=9))
    assert other.hold(slot).outcome == "taken"


@pytest.mark.both_engines
def test_choosing_another_time_gives_the_first_one_back(patient, other):
    first, second = patient.free_slots()[:2]
    patient.hold(first)
    patient.hold(second)
    assert other.hold(first).outcome == "held"


def test_the_own_held_time_is_still_there_on_going_back(patient, other):
    slot = patient.free_slots()[0]
    patient.hold(slot)
    patient.open("/book/")
    assert slot in patient.free_slots()
    assert "It is yours until 10:10 am" in patient.page.text
    other.open("/book/")
    assert slot not in other.free_slots()


class TestTimesThatAreNotOffered:
    """Whatever a form is made to say, only what is on offer can be held."""

    def hold(self, patient, slot):
        patient.open("/book/")
        form = next(form for form in patient.page.forms if "slot" in form.choices)
        return patient.send(form, slot=slot)

    @pytest.mark.parametrize("slot", [None, "", "abc", "-1", "1.5", "1 OR 1=1", "9" * 30, "٣"])
    def test_no_choice_and_nonsense_ask_to_choose(self, patient, slot):
        page = self.hold(patient, slot)
        assert (page.status, page.outcome) == (422, "invalid")
        assert patient.free_slots()

    def test_an_unknown_time(self, patient):
        assert self.hold(patient, "999999").outcome == "taken"

    @pytest.mark.both_engines
    @pytest.mark.parametrize("values", [{"offered": False}, {"state": SlotState.BOOKED}], ids=["withdrawn", "booked"])
    def test_a_withdrawn_or_booked_time(self, patient, app, values):
        slot = patient.free_slots()[0]
        change_slot(app, slot, **values)
        assert self.hold(patient, slot).outcome == "taken"

    @pytest.mark.both_engines
    def test_a_time_that_is_past_or_too_soon(self, patient, app):
        with app.app_context():
            past = db.session.scalar(select(Slot).order_by(Slot.starts_at))
            assert past.starts_at < portal_clock.now() + timedelta(hours=2)
        assert self.hold(patient, str(past.id)).outcome == "taken"

    def test_a_kind_of_visit_that_is_not_booked_online(self, patient, app):
        with app.app_context():
            slot = db.session.scalar(select(Slot.id).where(Slot.visit_type.has(code="follow-up")))
        assert self.hold(patient, str(slot)).outcome == "taken"


def test_an_old_tab_cannot_book_past_an_emergency(patient, app):
    patient.hold()
    patient.fill_in()
    confirm = patient.page.form
    patient.open("/assessment/red_flags_now")
    patient.send(red_flags_now="thunderclap")
    assert patient.post(confirm.action, confirm.values).outcome == "emergency"
    assert count(app, Appointment) == 0


def test_somebody_elses_draft_and_confirmation_are_out_of_reach(patient, other):
    patient.book()
    assert other.open("/book/confirmed").path == "/book/"
    assert other.open("/book/details").path == "/book/"


@pytest.mark.both_engines
def test_a_fault_half_way_leaves_nothing_behind(patient, app, monkeypatch):
    patient.hold()
    patient.fill_in()

    def fail(*_args, **_values):
        raise RuntimeError("broken on purpose")

    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setattr("portal.booking.services.announce", fail)
    page = patient.send()
    assert (page.status, page.outcome) == (500, "unavailable")
    assert count(app, Appointment) == 0
    assert count(app, Slot, Slot.state == SlotState.BOOKED) == 0
    monkeypatch.undo()
    patient.open("/book/check")
    assert patient.send().outcome == "booked"
