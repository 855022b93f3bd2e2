"""The earlier-slot list: a time given back is offered to one person after the other, by link, never in the night."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.booking import desk as desk_work
from portal.booking import links, waitlist
from portal.booking.history import note_change
from portal.booking.models import Appointment, Offer, OfferState, WaitlistEntry
from portal.booking.wishes import Wishes
from portal.core.db import db, transactional
from portal.notifications.services import send_due_mail
from portal.scheduling.models import Slot, SlotState
from tests.visitor import Visitor

FREED = "2026-11-20 10:00"


@pytest.fixture
def join(app):
    """Put a visit on the list by its link."""

    def join(link, **wishes):
        person = Visitor(app)
        person.open(f"{link}/earlier")
        person.send(**wishes)
        assert "You are on the earlier-slot list" in person.page.text

    return join


@pytest.fixture
def cancel(app):
    def cancel(link):
        person = Visitor(app)
        person.open(f"{link}/cancel")
        person.send(choice="time")
        assert person.send(confirmed="yes").outcome == "cancelled"

    return cancel


@pytest.fixture
def tend(app):
    def tend():
        with app.app_context():
            return waitlist.tend()

    return tend


def offers(diary):
    """Whom times were offered to so far and how each offer fares, in the order in which they booked."""
    with diary.app.app_context():
        rows = db.session.scalars(select(Offer))
        return sorted((offer.entry.appointment.patient.name, offer.state) for offer in rows)


def open_offer(diary):
    with diary.app.app_context():
        return f"/waitlist/{db.session.scalar(select(Offer).where(Offer.state == OfferState.OPEN)).token}"


@pytest.fixture
def given_back(book, cancel):
    """Let somebody book the time and give it back again."""
    link, _ = book(FREED)
    return lambda: cancel(link)


@pytest.mark.both_engines
def test_who_should_be_seen_promptly_comes_first_then_who_waited_longest(book, join, given_back, diary, clock):
    people = [book(f"2026-11-23 {hour:02}:00") for hour in (9, 10, 11)]
    for link, _ in people:
        join(link)
        clock.shift(timedelta(minutes=1))
    with diary.app.app_context():
        db.session.execute(update(Appointment).where(Appointment.reference == people[2][1]).values(prompt=True))
        db.session.commit()
    given_back()
    assert offers(diary) == [("Person Number 4", "open")]
    assert diary.mails()[-2:] == ["cancelled", "offer"]


@pytest.mark.parametrize(
    "wishes",
    [{"weekdays": ["0", "1"]}, {"parts_of_day": ["afternoon"]}, {"modes": ["phone"]}, {"locations": ["west"]}],
    ids=str,
)
def test_a_time_that_is_not_as_wished_goes_back_to_everybody(book, join, given_back, diary, wishes):
    link, _ = book("2026-11-23 09:00")
    join(link, **wishes)
    given_back()
    assert offers(diary) == []
    assert diary.count(Slot, Slot.id == int(diary.slot_at(FREED)), Slot.state == SlotState.FREE) == 1


def test_an_earlier_visit_is_not_offered_a_later_time(book, join, given_back, diary):
    link, _ = book("2026-11-20 09:00")
    join(link)
    given_back()
    assert offers(diary) == []


def test_a_booking_that_the_desk_undoes_leaves_the_list_and_its_offer_goes_to_the_next(
    app, desk, book, join, given_back, diary
):
    first, reference = book("2026-11-23 09:00")
    join(first)
    given_back()
    visit_id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
    with app.app_context():
        undo_booking(visit_id)
    assert [state for _, state in offers(diary)] == ["declined"]
    assert diary.count(WaitlistEntry, WaitlistEntry.closed_at.is_(None)) == 0


@transactional
def undo_booking(visit_id):
    """As if the desk had made the visit, and undid that."""
    staff_id = db.session.scalar(select(User.id))
    visit = db.session.get(Appointment, visit_id)
    change = note_change(visit, "booked", {}, staff_id)
    db.session.flush()
    desk_work.undo(change.id, staff_id)


@pytest.mark.both_engines
def test_taking_the_offer_moves_the_visit_and_passes_its_old_time_on(app, book, join, given_back, diary):
    first, reference = book("2026-11-23 09:00")
    second, _ = book("2026-11-23 11:00")
    join(first)
    join(second)
    given_back()
    person = Visitor(app)
    page = person.open(open_offer(diary))
    assert (page.outcome, page.heading) == ("held", "An earlier time is free")
    accept = page.form
    assert person.send().errors == ["Choose what becomes of your visit."]
    page = person.send(accept, choice="accept")
    assert (page.path, page.reference) == (f"/visit/{reference}", reference)
    assert diary.slot_of(reference) == int(diary.slot_at(FREED))
    assert person.send(accept, choice="accept").reference == reference  # twice is once
    assert offers(diary) == [("Person Number 2", "accepted"), ("Person Number 3", "open")]


def test_looking_at_an_offer_changes_nothing(app, book, join, given_back, diary):
    join(book("2026-11-23 09:00")[0])
    given_back()
    before = offers(diary)
    for method in ("GET", "HEAD"):
        assert Visitor(app).client.open(open_offer(diary), method=method).status_code == 200
    assert Visitor(app).open(f"{open_offer(diary)}/accept").status == 405
    assert offers(diary) == before


@pytest.mark.both_engines
def test_an_offer_that_is_declined_or_lapses_goes_to_the_next_and_the_place_is_kept(
    app, book, join, given_back, diary, tend, clock
):
    for hour in (9, 10, 11):
        join(book(f"2026-11-23 {hour:02}:00")[0])
        clock.shift(timedelta(minutes=1))
    given_back()
    person = Visitor(app)
    person.open(open_offer(diary))
    assert person.send(choice="decline").outcome == "kept"
    assert offers(diary) == [("Person Number 2", "declined"), ("Person Number 3", "open")]
    clock.shift(timedelta(hours=2, minutes=1))
    late = open_offer(diary)
    tend()
    assert [state for _, state in offers(diary)] == ["declined", "lapsed", "open"]
    assert diary.count(WaitlistEntry, WaitlistEntry.closed_at.is_(None)) == 3
    person.open(late)
    page = person.send(choice="accept")
    assert (page.status, page.outcome) == (409, "taken")
    assert "so does your place on the list" in page.text


@pytest.mark.parametrize("told", [True, False])
def test_only_who_was_told_of_an_offer_hears_that_it_has_lapsed(
    app, book, join, given_back, diary, tend, clock, mail_server, told
):
    link, reference = book("2026-11-23 09:00")
    join(link)
    given_back()
    if not told:
        with app.app_context():
            links.revoke(diary.scalar(select(Appointment.id).where(Appointment.reference == reference)))
    for pause in (timedelta(), timedelta(hours=2, minutes=1)):
        clock.shift(pause)
        tend()
        with app.app_context():
            send_due_mail()
    assert offers(diary) == [("Person Number 2", "lapsed")]
    assert any(b"not held for you any more" in mail for mail in mail_server.received) == told


@pytest.mark.both_engines
def test_while_it_is_offered_nobody_else_can_hold_the_time(app, book, join, given_back, diary):
    join(book("2026-11-23 09:00")[0])
    given_back()
    person = Visitor(app)
    person.pass_safety()
    assert diary.slot_at(FREED) not in person.free_slots()


def test_in_the_night_nothing_is_offered_and_in_the_morning_it_is(book, join, given_back, diary, tend, clock):
    join(book("2026-11-23 09:00")[0])
    clock.move_to("2026-11-19T03:00:00Z")  # 10 in the evening in New York
    given_back()
    assert offers(diary) == []
    clock.move_to("2026-11-19T12:59:00Z")
    assert tend() == 0
    clock.move_to("2026-11-19T13:00:00Z")  # 8 in the morning
    assert tend() == 1
    assert tend() == 0


@pytest.mark.parametrize(
    ("offered", "answer_by"),
    [
        ("2026-11-18T15:00:00Z", "2026-11-18T17:00:00Z"),
        ("2026-11-19T01:00:00Z", "2026-11-19T14:00:00Z"),  # 8 to 9 in the evening, then 8 to 9 in the morning
        ("2026-11-20T11:30:00Z", None),  # half past six in the morning
        ("2026-11-20T13:00:00Z", None),  # no time is left before the notice that the clinic needs
    ],
)
def test_the_clock_of_an_offer_stands_still_in_the_night(app, diary, clock, offered, answer_by):
    clock.move_to(offered)
    with app.app_context():
        slot = waitlist.get_slot(int(diary.slot_at(FREED)))
        expected = answer_by and datetime.fromisoformat(answer_by)
        assert waitlist.answer_time(slot, waitlist.get_clinic()) == expected


def test_leaving_the_list_ends_the_offers(app, book, join, given_back, diary):
    link, _ = book("2026-11-23 09:00")
    join(link)
    given_back()
    person = Visitor(app)
    person.open(f"{link}/earlier")
    person.send(leave="yes")
    assert offers(diary) == [("Person Number 2", "declined")]
    assert diary.count(WaitlistEntry, WaitlistEntry.closed_at.is_(None)) == 0


def test_each_step_is_said_once(app, book, join, given_back, diary):
    person = Visitor(app)
    person.open(f"{book('2026-11-23 09:00')[0]}/earlier")
    assert "Done. When a time comes free that suits you, we write." in person.send().text
    assert "Done." not in person.open(person.page.path).text
    given_back()
    person.open(open_offer(diary))
    assert "Done. This is your visit now" in person.send(choice="accept").text
    assert "Done." not in person.open(person.page.path).text
    person.open(f"{person.page.path}/cancel")
    person.send(choice="time")
    person.send(confirmed="yes")
    assert "Done. Your visit stands again." in person.send(choice="again").text


def by_patient(link, reference, desk, app, cancel):
    cancel(link)
    person = Visitor(app)
    person.open(link)
    form = next(form for form in person.page.forms if form.action.endswith("/undo"))
    return person.send(form, choice=form.choices["choice"][0])


def by_the_desk(link, reference, desk, app, cancel):
    with app.app_context():
        visit_id = db.session.scalar(select(Appointment.id).where(Appointment.reference == reference))
    page = desk.open(f"/desk/visit/{visit_id}")
    page = desk.send(next(form for form in page.forms if form.action.endswith("/cancel")), reason="patient")
    return desk.send(next(form for form in page.forms if form.action.endswith("/undo")))


@pytest.mark.parametrize("cancel_and_undo", [by_patient, by_the_desk])
def test_a_cancellation_undone_gives_the_place_on_the_list_back(
    app, book, join, cancel, desk, diary, clock, cancel_and_undo
):
    link, reference = book("2026-11-23 11:00")
    join(link)
    joined_at = diary.scalar(select(WaitlistEntry.joined_at))
    clock.shift(timedelta(minutes=5))
    cancel_and_undo(link, reference, desk, app, cancel)
    entry = diary.scalar(select(WaitlistEntry))
    assert (entry.joined_at, entry.closed_at) == (joined_at, None)


def test_who_had_left_the_list_before_is_not_put_back_on_it(app, book, join, cancel, desk, diary, clock):
    link, reference = book("2026-11-23 11:00")
    join(link)
    with app.app_context():
        waitlist.close(db.session.scalar(select(WaitlistEntry.appointment_id)))
    clock.shift(timedelta(minutes=5))
    by_patient(link, reference, desk, app, cancel)
    assert diary.scalar(select(Appointment.status).where(Appointment.reference == reference)) == "booked"
    assert diary.scalar(select(WaitlistEntry.closed_at)) is not None


def test_wishes_in_words_for_the_desk():
    assert Wishes().in_words() == "any time"
    assert Wishes(weekdays=("0", "4"), parts_of_day=("morning",)).in_words() == "Monday, Friday; mornings"


def test_the_offer_of_a_visit_that_was_cancelled_has_ended_and_does_not_say_that_the_visit_stands(
    app, book, join, given_back, cancel, diary
):
    link, _ = book("2026-11-23 09:00")
    join(link)
    given_back()
    person = Visitor(app)
    path = person.open(open_offer(diary)).path
    form = person.page.form
    cancel(link)
    for page in (person.open(path), *(person.send(form, choice=choice) for choice in form.choices["choice"])):
        assert (page.outcome, page.heading) == ("unavailable", "This offer has ended")
        assert "is cancelled" in page.text
        assert not any(words in page.text for words in ("stands", "Your visit", "Somebody else"))


def test_an_offered_time_that_is_over_cannot_be_taken_and_is_not_offered(
    app, book, join, given_back, diary, clock, tend
):
    join(book("2026-11-23 09:00")[0])
    given_back()
    person = Visitor(app)
    path = person.open(open_offer(diary)).path
    accept = person.page.form
    clock.move_to("2026-11-20T16:00:00Z")
    tend()
    page = person.open(path)
    assert page.heading == "This offer has ended"
    assert "still take it" not in page.text
    assert "accept" not in page.form.choices["choice"]
    assert "Somebody else" not in person.send(accept, choice="accept").text


@pytest.mark.both_engines
def test_whoever_takes_an_older_offer_holds_no_newer_one(app, book, join, cancel, diary):
    first, second = book("2026-11-20 10:00")[0], book("2026-11-20 11:00")[0]
    join(book("2026-11-23 09:00")[0])
    cancel(first)
    person = Visitor(app)
    declined = person.open(open_offer(diary)).path
    person.send(choice="decline")
    cancel(second)
    person.open(declined)
    person.send(choice="accept")
    assert person.page.outcome == "moved"
    assert sorted(state for _, state in offers(diary)) == ["accepted", "declined"]
    assert diary.count(Slot, Slot.state == SlotState.HELD) == 0
