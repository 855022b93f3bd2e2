"""The page of free times: a list and a month, narrowed, by one's own clocks, refreshed without losing a choice."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from sqlalchemy import update

from portal.booking import slot_list
from portal.core.db import db
from portal.scheduling.free_times import SlotFilter, find_free_slots
from portal.scheduling.models import Clinic, Provider
from portal.scheduling.remake import open_slots
from tests.assessment.test_walk import NECK
from tests.booking.conftest import Diary
from tests.visitor import Visitor


def test_filters_narrow_the_list_and_unknown_values_count_as_any(patient):
    everything = patient.free_slots()
    patient.open("/book/?mode=phone")
    by_phone = patient.free_slots()
    assert 0 < len(by_phone) < len(everything)
    assert "PST" in patient.page.text
    assert patient.open("/book/?part_of_day=morning&location=east").status == 200
    assert "12:00 pm" not in patient.page.text
    patient.open("/book/?mode=telepathy&provider=%00&part_of_day=' OR 1=1")
    assert patient.free_slots() == everything


def test_who_chose_nothing_sees_the_same_times_again(patient):
    patient.open("/book/?mode=phone&since=2026-11-20")
    shown = patient.free_slots()
    form = next(form for form in patient.page.forms if "slot" in form.choices)
    assert patient.send(form, slot=None).status == 422
    assert patient.free_slots() == shown


def test_a_filter_that_nothing_fits_says_so_and_offers_the_way_out(patient):
    page = patient.open("/book/?mode=phone&location=east")
    assert "No time is free that fits this" in page.text
    assert "/book/" in page.links


def test_weekdays_narrow_the_list(patient):
    page = patient.open("/book/?weekdays=0&weekdays=4&mode=in-person")
    assert "Monday, November 23" in page.text
    assert "Friday, November 20" in page.text
    assert "Wednesday" not in page.text.partition("Free times")[2].partition("Nothing fits")[0]


def test_the_times_of_one_clinician_are_still_asked_for_after_the_safety_question(visitor, app):
    page = visitor.open("/book/?provider=ben&weekdays=1&location=nowhere&token=secret")
    assert page.form.action == "/book/safety?provider=ben&weekdays=1"
    assert visitor.send().status == 422
    assert "Narrow the list: Ben Test, NP, Tuesday" in visitor.send(red_flags_now="none").text
    assert Visitor(app).open("/book/safety").form.action == "/book/safety"


def test_a_day_of_the_month_leads_to_its_times(patient):
    page = patient.open("/book/?view=month&mode=in-person")
    assert "November 2026" in page.text.replace("<strong>", "").replace("</strong>", "")
    day = page.link("day=2026-11-20")
    page = patient.open(day)
    assert "Friday, November 20, 4 free" in page.text
    assert len(patient.free_slots()) == 4


def test_a_month_without_free_times_is_not_led_to(patient):
    page = patient.open("/book/?view=month&month=1999-01")
    assert "November" in page.text
    assert not any("month=2026-10" in link for link in page.links)
    assert patient.open("/book/?view=month&month=nonsense").status == 200


def test_a_choice_that_is_taken_while_the_page_is_open_is_said(patient, book):
    refresh = {"HX-Request": "true", "HX-Request-Type": "partial"}
    slot = Diary(patient.client.application).slot_at("2026-11-20 09:00")
    kept = patient.client.get(f"/book/?slot={slot}", headers=refresh).text
    assert f'value="{slot}" checked' in kept
    assert "<html" not in kept
    book("2026-11-20 09:00")
    assert "has just been taken" in patient.client.get(f"/book/?slot={slot}", headers=refresh).text


def test_phone_visits_are_shown_by_ones_own_clocks_too_and_in_the_mail(patient, app, mail_server):
    patient.open("/book/?mode=phone&zone=America/New_York")
    assert "Where you are: Thursday, November 19, 4:00 pm EST" in patient.page.text
    patient.book(patient.free_slots()[0])
    assert "Where you are: Thursday" in patient.page.text
    with app.app_context():
        from portal.notifications.services import send_due_mail

        send_due_mail()
    assert "Where you are: Thursday, November 19, 4:00 pm EST" in mail_server.text()


def test_a_time_that_is_held_on_the_result_is_shown_by_ones_own_clocks_from_then_on(visitor, diary):
    page = visitor.finish(**NECK)
    form = next(form for form in page.forms if form.action == "/book/")
    assert form.values["zone"] == [""]  # which the browser fills in
    page = visitor.send(form, slot=diary.slot_at("2026-11-19 13:00", "call"), zone="America/New_York")
    assert "Where you are: Thursday, November 19, 4:00 pm EST" in page.text


def test_visits_in_person_are_shown_by_the_clocks_of_the_place_alone(patient):
    patient.open("/book/?mode=in-person&zone=Asia/Tokyo")
    assert "Where you are" not in patient.page.text
    assert patient.open("/book/?zone=Nowhere/Land").status == 200


def test_types_that_only_the_desk_books_are_named(patient):
    assert "By phone only: follow-up (30 min)" in patient.open("/book/").text


def test_a_day_that_has_all_the_visits_it_may_have_is_not_offered(patient, app, book, diary):
    with app.app_context():
        db.session.execute(update(Provider).where(Provider.code == "ada").values(daily_cap=1))
        db.session.commit()
    other = diary.slot_at("2026-11-20 11:00")
    assert other in patient.free_slots()
    book("2026-11-20 09:00")
    patient.open("/book/")
    assert other not in patient.free_slots()
    form = next(form for form in patient.page.forms if "slot" in form.choices)
    assert patient.send(form, slot=other).outcome == "taken"


def test_keeping_the_time_longer_keeps_what_is_typed_wrong_too(patient, clock):
    patient.hold()
    clock.shift(60)
    page = patient.send(name="Jane", email="not yet", keep="yes")
    assert (page.path, page.outcome) == ("/book/details", "held")
    assert page.form.values["email"] == ["not yet"]
    assert "yours until <strong>10:11 am EST" in page.text
    assert patient.open("/book/check").path == "/book/details"


def test_a_page_that_asks_again_says_until_when_the_time_is_held_now(patient, clock):
    patient.hold()
    clock.shift(60)
    page = patient.send(name="Jane", email="not yet")
    assert page.status == 422
    assert "yours until <strong>10:11 am EST" in page.text


def test_choosing_another_time_gives_the_first_one_back_and_keeps_what_is_typed(patient, other):
    patient.hold()
    first = patient.page.response
    assert first.status_code == 200
    patient.fill_in()
    slots = other.free_slots()
    patient.hold(slots[3])
    assert patient.page.form.values["email"] == ["jane@example.com"]
    other.open("/book/")
    assert slots[3] not in other.free_slots()


def test_on_a_day_with_one_place_left_its_holder_may_choose_another_time(patient, app, diary):
    with app.app_context():
        db.session.execute(update(Provider).where(Provider.code == "ada").values(daily_cap=1))
        db.session.commit()
    patient.hold(diary.slot_at("2026-11-20 09:00"))
    assert patient.hold(diary.slot_at("2026-11-20 10:00")).outcome == "held"


def test_of_a_day_with_more_times_than_a_page_the_first_stand_there_and_a_link_leads_to_all(patient, monkeypatch):
    monkeypatch.setattr(slot_list, "MOST_SHOWN", 2)
    page = patient.open("/book/?since=2026-11-20&mode=in-person")
    assert len(patient.free_slots()) == 2
    assert "more than 2 free" in page.text
    whole = patient.open(page.link("day="))
    assert len(patient.free_slots()) == 4
    assert "more than" not in whole.text


def test_the_nearest_free_times_are_near_however_many_are_sooner(patient, other, app, diary):
    with app.app_context():
        db.session.execute(update(Clinic).values(horizon_weeks=8))
        db.session.commit()
        open_slots()
        assert len(find_free_slots(SlotFilter(), "consult", limit=500)) > 60
    wanted = diary.slot_at("2027-01-08 10:00")
    other.hold(wanted)
    assert patient.hold(wanted).outcome == "taken"
    calls = [diary.slot_at(f"2027-01-07 {wall}", "call") for wall in ("13:30", "14:00", "14:30")]
    assert patient.free_slots() == calls + [diary.slot_at(f"2027-01-08 {hour:02}:00") for hour in (9, 11, 12)]


def test_the_nearest_free_times_are_shown_by_ones_own_clocks_too_and_are_not_counted(patient, other, diary):
    patient.open("/book/?zone=America/New_York")
    wanted = diary.slot_at("2026-11-19 13:30", "call")
    other.hold(wanted)
    page = patient.hold(wanted)
    assert page.outcome == "taken"
    assert "Where you are: Thursday, November 19, 4:00 pm EST" in page.text
    assert "6 free" not in page.text


def test_a_day_in_two_zones_begins_with_its_first_time():
    day = date(2026, 11, 20)
    eastern = SimpleNamespace(day=day, begins="10:15", starts_at=datetime(2026, 11, 20, 15, 15, tzinfo=UTC))
    central = SimpleNamespace(day=day, begins="09:45", starts_at=datetime(2026, 11, 20, 15, 45, tzinfo=UTC))
    assert slot_list.by_day([central, eastern]) == [(day, (eastern, central))]
