"""What open forms do when they are pressed: a clear answer, nothing typed is lost, and always a way on."""

import hashlib
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import func, select

from portal.assessment.models import ResumeLink
from portal.booking.models import Appointment, PatientRequest
from portal.core import allowed
from portal.core.db import db
from portal.core.limits import HitCount, count_hit
from portal.core.proof import BITS, PARTS
from portal.notifications.models import OutgoingMail
from portal.notifications.services import send_due_mail
from tests.visitor import Visitor

CALL = {"name": "Jane Doe", "phone": "212 555 0177"}


def somebody(app, address="198.51.100.1"):
    person = Visitor(app)
    person.client.environ_base["REMOTE_ADDR"] = address
    return person


def ask_for_a_call(person, number=0, **fields):
    person.open("/request/call-back")
    return person.send(**{**CALL, "phone": f"212 555 {1000 + number}", **fields})


def book_as(app, number, **details):
    """Book as a new person of an address of its own."""
    person = somebody(app, f"198.51.100.{number}")
    person.pass_safety()
    return person.book(**{"name": f"Person {number}", "phone": f"212 555 {1000 + number}", **details})


def solve(mark):
    """What the browser works out."""

    def part(number):
        tries = (str(n) for n in count())
        prefix = f"{mark}:{number}:"
        return next(n for n in tries if hashlib.sha256((prefix + n).encode()).digest().hex()[:3] <= "003")

    assert BITS == 10  # which is what the comparison above says
    return ",".join(part(number) for number in range(PARTS))


def stored(app, query):
    with app.app_context():
        return db.session.scalar(query)


class TestMailboxesAndPhones:
    """Whoever sends it, from however many addresses: nobody's mailbox or phone is flooded through a form."""

    def test_a_mailbox_gets_four_ways_back_a_day_however_it_is_written(self, app, clock):
        written = ["jane@gmail.com", "Jane@Gmail.com", "jane+a@gmail.com", "j.a.n.e@gmail.com", "jane@gmail.com"]
        pages = []
        for number, email in enumerate(written):
            person = somebody(app, f"198.51.100.{number}")
            person.open("/assessment/pause")
            pages.append(person.send(email=email))
        assert [page.status for page in pages] == [200] * 4 + [429]
        assert pages[4].outcome == "limited"
        assert "Many forms were sent today with this e-mail address." in pages[4].text
        assert "tel:2125550100" in pages[4].links
        assert pages[4].form.values["email"] == ["jane@gmail.com"]  # nothing typed is lost
        assert int(pages[4].response.headers["Retry-After"]) == 24 * 3600
        assert stored(app, select(func.count()).select_from(ResumeLink)) == 4
        clock.shift(timedelta(days=1))
        assert person.send().status == 200  # the button of that very page

    def test_a_mailbox_has_ten_visits_booked_a_day_and_the_next_changes_nothing(self, app, clock):
        pages = [book_as(app, number, email="jane@example.com") for number in range(11)]
        assert [page.outcome for page in pages] == ["booked"] * 10 + ["limited"]
        assert stored(app, select(func.count()).select_from(Appointment)) == 10

    def test_a_phone_has_ten_visits_booked_a_day(self, app, clock):
        pages = [book_as(app, n, email=f"p{n}@example.com", phone="212 555 0177") for n in range(11)]
        assert [page.outcome for page in pages] == ["booked"] * 10 + ["limited"]
        assert "with this phone number" in pages[10].text

    def test_a_phone_is_asked_to_be_called_six_times_a_day(self, app, clock):
        pages = [ask_for_a_call(somebody(app, f"198.51.100.{n}"), phone="212 555 0177") for n in range(7)]
        assert [page.status for page in pages] == [200] * 6 + [429]
        assert stored(app, select(func.count()).select_from(PatientRequest)) == 6

    def test_moving_a_visit_to_and_fro_ends_after_twelve_times(self, app, clock, book, diary):
        link, reference = book("2026-11-23 09:00")
        person = somebody(app)
        person.open(link)
        slots = [diary.slot_at(f"2026-11-25 {hour}:00") for hour in ("09", "10")]
        for turn in range(13):
            person.open(f"/visit/{reference}/move")
            form = next(form for form in person.page.forms if "slot" in form.choices)
            page = person.send(form, slot=slots[turn % 2])
        assert (page.status, page.outcome) == (429, "limited")
        assert str(diary.slot_of(reference)) == slots[1]

    def test_strangers_who_use_up_a_mailbox_stop_its_owner_from_no_first_change_and_no_cancellation(
        self, app, clock, book, diary
    ):
        link, reference = book("2026-11-23 09:00", email="jane@example.com")
        with app.app_context():
            while count_hit(allowed.CHANGES_FOR_MAILBOX, "jane@example.com").allowed:
                pass
        owner = somebody(app)
        owner.open(link)
        slots = [diary.slot_at(f"2026-11-25 {hour}:00") for hour in ("09", "10")]
        outcomes = []
        for turn in range(3):
            owner.open(f"/visit/{reference}/move")
            form = next(form for form in owner.page.forms if "slot" in form.choices)
            outcomes.append(owner.send(form, slot=slots[turn % 2]).status)
        assert outcomes == [200, 200, 429]
        assert str(diary.slot_of(reference)) == slots[1]
        owner.open(f"/visit/{reference}/cancel")
        owner.send(choice="time")
        assert owner.send(confirmed="yes").status == 200
        assert not diary.booked_slots()
        assert owner.send(choice="again").status == 429

    def test_the_link_of_a_visit_is_not_mailed_beyond_what_its_mailbox_may_get(self, app, clock, book, mail_server):
        book("2026-11-23 09:00")
        who = {"name": "Person Number 1", "email": "person1@example.com"}
        for number in range(allowed.MAILS_TO_MAILBOX.count + 2):
            clock.shift(timedelta(hours=1))
            assert book_as(app, number, **who, phone="212 555 0199").outcome == "limited"
        with app.app_context():
            send_due_mail()
        told = select(func.count()).select_from(OutgoingMail).where(OutgoingMail.kind == "link")
        assert stored(app, told) == allowed.MAILS_TO_MAILBOX.count - 1


class TestGuesses:
    """What can be guessed is guessed a few times."""

    def test_a_code_is_tried_twenty_times_an_hour(self, app, clock):
        person = somebody(app)
        person.open("/assessment/resume")
        form = person.page.form
        assert [person.send(form, code="AAAA-AAAA").status for _ in range(21)] == [422] * 20 + [429]
        other = somebody(app, "198.51.100.2")
        other.open("/assessment/resume")
        assert other.send(code="AAAA-AAAA").status == 422

    def test_wrong_links_are_told_to_stop_and_a_right_one_still_opens(self, app, clock, book):
        link, _ = book("2026-11-23 09:00")
        guesser = somebody(app)
        answers = [guesser.open(f"/visit/{'x' * 21}{number % 10}").status for number in range(61)]
        assert answers == [404] * 60 + [429]
        assert guesser.open(link).status == 200


class TestPressed:
    """While much is sent, a browser does a sum first; without scripts, waiting does."""

    @pytest.fixture
    def pressed(self, app, clock):
        """Somebody whose address has asked for fifteen calls in this hour, and is asked for a proof with the next."""
        person = somebody(app)
        for number in range(15):
            assert ask_for_a_call(person, number).status == 200
        page = ask_for_a_call(person, 99, note="Please in the afternoon.")
        assert (page.status, page.outcome) == (429, "limited")
        assert page.form.values["note"] == ["Please in the afternoon."]
        return person

    def test_the_sum_lets_a_form_through_twice_and_no_other_form(self, pressed, app):
        page = pressed.page
        mark = page.form.values["proof_mark"][0]
        solved = {**page.form.values, "proof": solve(mark)}
        assert pressed.post(page.form.action, solved).status == 200
        assert pressed.post(page.form.action, solved).status == 200  # the button pressed twice
        assert pressed.post(page.form.action, solved).status == 429
        assert stored(app, select(func.count()).select_from(PatientRequest)) == 16

    def test_a_sum_that_is_wrong_or_of_another_mark_does_not(self, pressed):
        form = pressed.page.form
        answer = solve(form.values["proof_mark"][0])
        for proof in ("", "1,2,3,4,5,6,7,8", answer.replace(",", ", "), f"{answer},1", "²,1,1,1,1,1,1,1", "1" * 9000):
            assert pressed.post(form.action, {**form.values, "proof": proof}).status == 429
        made_up = "1763478000.mine.signature"
        assert pressed.post(form.action, {**form.values, "proof_mark": made_up, "proof": solve(made_up)}).status == 429

    def test_whoever_has_no_scripts_waits_a_minute(self, pressed, clock):
        assert "Please wait one minute" in pressed.page.text
        clock.shift(35)
        page = pressed.send()
        assert (page.status, page.response.headers["Retry-After"]) == (429, "25")
        assert "It was a little early. Please wait 25 seconds" in page.text
        clock.shift(25)
        assert pressed.send().status == 200

    def test_waiting_is_no_way_for_programs_that_wait_for_many_at_once(self, pressed, app, clock):
        marks = [ask_for_a_call(pressed, 100 + number).form for number in range(21)]
        clock.shift(60)
        answers = [pressed.send(form).status for form in marks]
        assert answers.count(200) == allowed.WAITED_INSTEAD.count

    def test_another_address_is_not_asked(self, pressed, app):
        assert ask_for_a_call(somebody(app, "198.51.100.2"), 50).status == 200

    def test_a_whole_crowd_of_addresses_is(self, app, clock):
        pages = [ask_for_a_call(somebody(app, f"198.51.100.{number}"), number) for number in range(41)]
        assert [page.status for page in pages] == [200] * 40 + [429]

    def test_the_field_that_nobody_sees_is_asked_about_once(self, app, clock):
        person = somebody(app)
        page = ask_for_a_call(person, website="https://spam.example")
        assert (page.status, page.heading) == (429, "Please send it once more")
        assert stored(app, select(PatientRequest)) is None
        assert person.send().status == 200

    def test_a_booking_too_is_let_through_with_a_proof(self, app, clock, monkeypatch):
        monkeypatch.setattr("portal.limits.times", lambda _count: 0)
        page = book_as(app, 1, email="p@example.com")
        assert (page.status, page.outcome) == (429, "limited")
        clock.shift(60)
        person = somebody(app, "198.51.100.1")
        person.pass_safety()
        page = person.book()
        proof = solve(page.form.values["proof_mark"][0])
        assert person.send(proof=proof).outcome == "booked"


class TestAway:
    """A limit is never skipped because its store is not there."""

    pytestmark = pytest.mark.both_engines

    def test_without_the_store_nothing_is_done(self, app, clock):
        app.config["PROPAGATE_EXCEPTIONS"] = False
        person = somebody(app)
        person.open("/request/call-back")
        form = person.page.form
        with app.app_context(), db.engine.begin() as connection:
            HitCount.__table__.drop(connection)
        for _ in range(3):
            page = person.send(form, **CALL)
            assert page.status in {500, 503}
            assert page.outcome == "unavailable"
        assert stored(app, select(PatientRequest)) is None
