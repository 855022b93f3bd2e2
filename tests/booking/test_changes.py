"""A visit that is moved, switched or given back: never two times, never none, never by the address alone."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.booking.models import Appointment
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.scheduling.models import Provider, Slot, SlotState
from tests.visitor import Visitor

pytestmark = pytest.mark.both_engines

FRIDAY, LATER = "2026-11-20 09:00", "2026-11-23 11:00"


@pytest.fixture
def visit(book):
    return book(FRIDAY)


@pytest.fixture
def holder(app, visit):
    """Whoever opens the link of the mail, on another device."""
    holder = Visitor(app)
    holder.open(visit[0])
    return holder


def move(holder, slot):
    holder.open(holder.page.link("/move"))
    form = next(form for form in holder.page.forms if "slot" in form.choices)
    return holder.send(form, slot=slot)


def test_opening_the_link_leaves_an_address_that_opens_nothing_for_others(app, holder, visit):
    assert holder.page.path == f"/visit/{visit[1]}"
    assert Visitor(app).open(holder.page.path).status == 404
    assert visit[0] not in holder.page.text


def test_an_hour_after_the_last_look_the_link_is_asked_for_again(holder, visit, clock):
    clock.shift(timedelta(minutes=59))
    assert holder.open(holder.page.path).status == 200
    clock.shift(timedelta(minutes=61))
    page = holder.open(holder.page.path)
    assert (page.status, page.heading) == (404, "Please open the link in your mail again")
    assert holder.open(visit[0]).status == 200


def test_a_moved_visit_keeps_its_row_and_identity_and_frees_its_old_time(holder, visit, diary):
    old = diary.slot_of(visit[1])
    page = move(holder, diary.slot_at(LATER))
    assert (page.outcome, page.reference) == ("moved", visit[1])
    assert "Monday, November 23" in page.text
    assert diary.booked_slots() == [diary.slot_of(visit[1])] != [old]
    assert diary.count(Slot, Slot.id == old, Slot.state == SlotState.FREE) == 1
    assert diary.mails() == ["booked", "moved"]
    assert diary.count(Appointment, Appointment.ics_sequence == 1) == 1


def test_moving_twice_to_the_same_time_is_moving_once(holder, diary):
    slot = diary.slot_at(LATER)
    holder.open(holder.page.link("/move"))
    form = next(form for form in holder.page.forms if "slot" in form.choices)
    assert holder.send(form, slot=slot).outcome == "moved"
    assert holder.send(form, slot=slot).outcome == "moved"
    assert diary.mails() == ["booked", "moved"]


def test_a_visit_moves_within_a_day_that_is_full_with_it(app, holder, diary):
    with app.app_context():
        db.session.execute(update(Provider).values(daily_cap=1))
        db.session.commit()
    page = move(holder, diary.slot_at("2026-11-20 10:00"))
    assert (page.status, page.outcome) == (200, "moved")


def test_a_move_to_a_time_that_is_near_pressed_twice_is_done_and_says_so_once(app, book, diary, clock):
    holder = Visitor(app)
    link, reference = book("2026-11-20 11:00")
    clock.move_to("2026-11-20T12:50:00Z")
    slot = diary.slot_at("2026-11-20 10:00")
    holder.open(f"{link}/move")
    form = next(form for form in holder.page.forms if "slot" in form.choices)
    assert holder.send(form, slot=slot).outcome == "moved"
    clock.move_to("2026-11-20T14:10:00Z")
    holder.open(link)
    page = holder.send(form, slot=slot)
    assert (page.status, page.outcome, page.path) == (200, "moved", f"/visit/{reference}")
    assert holder.open(page.path).outcome == "booked"


def test_a_time_that_has_gone_in_the_meantime_leaves_the_visit_where_it_was(holder, visit, book, diary):
    holder.open(holder.page.link("/move"))
    form = next(form for form in holder.page.forms if "slot" in form.choices)
    book(LATER)
    page = holder.send(form, slot=diary.slot_at(LATER))
    assert (page.status, page.outcome) == (409, "taken")
    assert "Your visit stands as it was" in page.text
    assert diary.slot_of(visit[1]) == int(diary.slot_at(FRIDAY))


def test_a_visit_cannot_become_one_of_another_kind_by_a_made_up_form(holder, visit, diary):
    page = move(holder, diary.slot_at("2026-11-23 13:00", "follow-up"))
    assert (page.status, page.outcome) == (409, "taken")
    assert diary.booked_slots() == [int(diary.slot_at(FRIDAY))]


@pytest.mark.parametrize("slot", ["", "abc", "999999999999999"])
def test_moving_to_nonsense_asks_to_choose(holder, slot):
    page = move(holder, slot)
    assert (page.status, page.outcome) == (422, "invalid")
    assert holder.free_slots()


class TestTheCutOff:
    """The tests' clinic lets nobody move or cancel in the last hour; the page does not offer it, the form neither."""

    @pytest.fixture
    def forms(self, holder):
        """The forms, opened in time."""
        holder.open(holder.page.link("/move"))
        move_form = next(form for form in holder.page.forms if "slot" in form.choices)
        holder.open(f"/visit/{holder.page.path.split('/')[2]}/cancel")
        holder.send(choice="time")
        return move_form, holder.page.form

    def wait_for_the_last_hour(self, holder, visit, clock):
        clock.move_to("2026-11-20T13:00:01Z")
        holder.open(visit[0])

    def test_moving(self, holder, visit, forms, clock, diary):
        self.wait_for_the_last_hour(holder, visit, clock)
        assert not any("/move" in link or "/cancel" in link for link in holder.page.links)
        page = holder.send(forms[0], slot=diary.slot_at(LATER))
        assert (page.status, page.outcome) == (409, "unavailable")
        assert "tel:2125550100" in page.links

    def test_cancelling(self, holder, visit, forms, clock, diary):
        self.wait_for_the_last_hour(holder, visit, clock)
        page = holder.send(forms[1], confirmed="yes")
        assert (page.status, page.outcome) == (409, "unavailable")
        assert diary.booked_slots() == [int(diary.slot_at(FRIDAY))]


class TestAnAttackOnTheDay:
    """In the morning of the visit, past every cut-off."""

    @pytest.fixture
    def holder(self, app, visit, clock):
        clock.move_to("2026-11-20T13:30:00Z")
        holder = Visitor(app)
        holder.open(visit[0])
        holder.open(holder.page.link("/attack"))
        return holder

    def test_a_pain_that_is_sudden_need_not_be_the_worst_ever_to_call_911(self, holder):
        assert "A very bad headache that hit its worst within 5 minutes?" in holder.page.text

    def test_the_visit_becomes_a_call_at_its_time(self, holder, visit, diary):
        page = holder.send(choice="call")
        assert page.outcome == "moved"
        assert "By phone: we call you" in page.text
        assert page.link("/attack")  # a worse day still has a way out
        assert diary.slot_of(visit[1]) == int(diary.slot_at(FRIDAY))
        assert diary.mails() == ["booked", "moved"]

    def test_switched_twice_is_switched_once(self, holder, diary):
        form = holder.page.form
        for _ in range(2):
            assert holder.send(form, choice="call").outcome == "moved"
        assert diary.mails() == ["booked", "moved"]

    def test_the_time_is_given_back_once_that_is_confirmed_without_a_mark(self, holder, visit, diary):
        assert holder.send(choice="attack").heading == "Cancel this visit?"
        confirm = holder.page.form
        assert holder.send(confirm, confirmed="no").outcome == "kept"
        assert diary.booked_slots() != []
        assert holder.send(confirm, confirmed="yes").outcome == "cancelled"
        assert diary.booked_slots() == []
        assert diary.count(Appointment, Appointment.status == "cancelled", Appointment.cancel_reason == "attack") == 1

    def test_nothing_is_chosen_beforehand_and_keeping_keeps(self, holder, diary):
        assert holder.send().outcome == "invalid"
        assert holder.send(choice="keep").outcome == "kept"
        assert diary.mails() == ["booked"]


def test_the_attack_page_is_not_there_days_before(holder):
    path = holder.page.path
    assert not any("/attack" in link for link in holder.page.links)
    assert holder.open(f"{path}/attack").path == path


class TestOneVisitOfAKind:
    """A second visit of a kind for one person is for the desk to make."""

    JANE = {"name": "Jane Roe", "email": "jane@roe.example"}

    def book_again(self, app, diary, **details):
        person = Visitor(app)
        person.pass_safety()
        return person.book(diary.slot_at(LATER), **{**self.JANE, **details})

    def test_the_same_person_is_sent_the_link_again_and_learns_nothing_here(self, app, book, diary):
        book(FRIDAY, **self.JANE)
        page = self.book_again(app, diary, name="jane  ROE", email="Jane@ROE.example")
        assert (page.status, page.outcome) == (409, "limited")
        assert "November" not in page.text
        assert diary.mails() == ["booked", "link"]
        assert len(diary.booked_slots()) == 1
        self.book_again(app, diary)
        assert diary.mails() == ["booked", "link"]  # not more than one an hour

    @pytest.mark.parametrize("name", ["Siobhán O'Brien-D'Arcy", "SIOBHAN O\u02bcBRIEN-D`ARCY"])
    def test_neither_a_phones_apostrophe_nor_an_accent_left_out_makes_another_person(self, app, book, diary, name):
        book(FRIDAY, **{**self.JANE, "name": "Siobhán O’Brien-D'Arcy"})
        assert self.book_again(app, diary, name=name).outcome == "limited"
        assert len(diary.booked_slots()) == 1

    def test_another_person_books_and_so_does_the_same_one_after_cancelling(self, app, book, diary):
        link, _ = book(FRIDAY, **self.JANE)
        assert self.book_again(app, diary, name="John Roe").outcome == "booked"
        holder = Visitor(app)
        holder.open(f"{link}/cancel")
        holder.send(choice="time")
        undo = holder.send(confirmed="yes").form
        book("2026-11-23 10:00", **self.JANE)
        assert holder.send(undo, choice="again").outcome == "limited"

    def test_a_visit_that_is_over_is_not_in_the_way(self, app, book, diary, clock):
        book(FRIDAY, **self.JANE)
        clock.move_to("2026-11-21T15:00:00Z")
        assert self.book_again(app, diary).outcome == "booked"

    def test_the_desk_may_allow_it_and_sees_who_may_be_the_same(self, app, book, diary, desk):
        book(FRIDAY, **self.JANE)
        desk.open("/desk/day/2026-11-20")
        desk.open(desk.page.link("/desk/visit/"))
        desk.send(next(form for form in desk.page.forms if "allow-another" in form.action))
        assert self.book_again(app, diary, phone="212 555 0199").outcome == "booked"
        desk.open("/desk/day/2026-11-23")
        page = desk.open(desk.page.link("/desk/visit/"))
        assert "May be the same person" in page.text

    def test_what_the_desk_allowed_beside_another_is_taken_up_again_beside_it(self, app, book, diary, desk):
        link, _ = book(FRIDAY, **self.JANE)
        desk.open("/desk/day/2026-11-20")
        desk.open(desk.page.link("/desk/visit/"))
        desk.send(next(form for form in desk.page.forms if "allow-another" in form.action))
        self.book_again(app, diary, phone="212 555 0199")
        holder = Visitor(app)
        holder.open(f"{link}/cancel")
        holder.send(choice="time")
        assert holder.send(confirmed="yes").outcome == "cancelled"
        assert holder.send(choice="again").outcome == "booked"


def test_undoing_within_the_notice_takes_the_time_again(app, book, clock):
    link, _ = book(FRIDAY)
    clock.move_to("2026-11-20T12:30:00Z")
    holder = Visitor(app)
    holder.open(f"{link}/attack")
    holder.send(choice="attack")
    assert holder.send(confirmed="yes").outcome == "cancelled"
    assert holder.send(choice="again").outcome == "booked"


@pytest.mark.parametrize("reason", ["clinician", "clinic"])
def test_what_the_clinic_cancelled_comes_with_an_apology_and_other_times_and_is_not_taken_up_again(
    desk, holder, clock, diary, app, mail_server, reason
):
    csrf = holder.open(f"{holder.page.path}/cancel").form.values
    desk.open("/desk/day/2026-11-20")
    desk.open(desk.page.link("/desk/visit/"))
    desk.send(next(form for form in desk.page.forms if form.action.endswith("/cancel")), reason=reason)
    page = holder.open(holder.page.path.removesuffix("/cancel"))
    assert "We are sorry" in page.text
    assert not page.forms
    assert page.link("/book/")
    page = holder.post(f"{page.path}/undo", csrf)
    assert (page.status, page.outcome, diary.booked_slots()) == (409, "unavailable", [])
    clock.shift(timedelta(minutes=4))
    with app.app_context():
        send_due_mail()
    mail = mail_server.received[-1].decode()
    assert "we are sorry" in mail
    assert "A mistake" not in mail


def test_a_visit_that_is_over_is_not_in_the_way_of_an_undo(app, book, clock, diary):
    link, _ = book("2026-11-30 09:00", name="Jane Roe", email="jane@roe.example")
    holder = Visitor(app)
    holder.open(f"{link}/cancel")
    holder.send(choice="time")
    undo = holder.send(confirmed="yes").form
    book(FRIDAY, name="Jane Roe", email="jane@roe.example")
    clock.move_to("2026-11-24T15:00:00Z")
    holder.open(link)
    assert holder.send(undo, choice="again").outcome == "booked"


class TestAPageLeftOpen:
    """Going back to it after the visit was cancelled does not make the visit stand again, nor say so."""

    @pytest.fixture
    def left_open(self, holder, visit, clock):
        """The forms of its pages, on its day and in time, before it was cancelled."""
        clock.move_to("2026-11-20T12:00:00Z")
        forms = {page: holder.open(f"{visit[0]}/{page}").form for page in ("attack", "earlier", "move", "cancel")}
        confirm = holder.send(forms["cancel"], choice="time").form
        assert holder.send(confirm, confirmed="yes").outcome == "cancelled"
        return {**forms, "confirm": confirm}

    @pytest.mark.parametrize(
        ("sent", "values"),
        [("confirm", {"confirmed": "no"}), ("cancel", {"choice": "keep"}), ("attack", {"choice": "keep"})],
        ids=str,
    )
    def test_keeping_shows_the_visit_as_it_is(self, holder, left_open, sent, values):
        page = holder.send(left_open[sent], **values)
        assert (page.outcome, page.heading) == ("cancelled", "This visit is cancelled")
        assert "stands" not in page.text

    @pytest.mark.parametrize("sent", ["earlier", "move"])
    def test_asking_for_another_time_says_that_nothing_was_changed(self, holder, left_open, diary, sent):
        page = holder.send(left_open[sent], slot=diary.slot_at(LATER))
        assert (page.status, page.outcome, page.heading) == (409, "unavailable", "This visit is cancelled")
        assert "Nothing was changed" in page.text
        assert "cannot be changed online any more" not in page.text


class TestAVisitThatIsOver:
    """Its page says so, and nothing that is only true of one to come."""

    def check(self, page):
        assert (page.outcome, page.heading) == ("expired", "This visit is over")
        for words in ("Before you come", "too near", "is on its way", "earlier time"):
            assert words not in page.text
        assert page.link("/book/")

    def test_days_after(self, holder, visit, clock):
        clock.move_to("2026-11-23T15:00:00Z")
        self.check(holder.open(visit[0]))
        self.check(holder.open(f"{visit[0]}/earlier"))

    def test_where_nobody_came(self, holder, visit, clock, app):
        clock.move_to("2026-11-20T14:20:00Z")
        assert holder.open(visit[0]).heading == "Your visit"  # it has begun
        with app.app_context():
            db.session.execute(update(Appointment).values(status="noshow"))
            db.session.commit()
        self.check(holder.open(visit[0]))

    def test_for_whoever_looks_at_the_confirmation_again(self, visitor, clock, diary):
        visitor.pass_safety()
        reference = visitor.book().reference
        clock.shift(timedelta(days=3))
        visitor.open(f"/visit/{diary.token(reference)}")
        self.check(visitor.open("/book/confirmed"))
        assert "You have a visit" not in visitor.open("/book/").text


def test_cancelling_twice_is_cancelling_once(holder, diary):
    holder.open(f"{holder.page.path}/cancel")
    confirm = holder.send(choice="time").form
    assert holder.send(confirm, confirmed="yes").outcome == "cancelled"
    assert holder.send(confirm, confirmed="yes").outcome == "cancelled"
    assert diary.mails() == ["booked", "cancelled"]
