"""The earlier-slot list at the desk: who fits a time that was given back, offered or moved with one click."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.booking import links
from portal.booking.models import Appointment, Offer, OfferState, Patient, WaitlistEntry
from portal.core.db import db, transactional
from portal.scheduling.models import Slot, SlotState
from tests.visitor import Visitor

EARLY, LATE, LATER = "2026-11-20 09:00", "2026-11-23 11:00", "2026-11-25 09:00"


@pytest.fixture
def wait(app, book):
    """Book a visit and go on the list with it."""

    def wait(wall):
        link, reference = book(wall)
        person = Visitor(app)
        person.open(link)
        person.open(person.page.link("/earlier"))
        person.send()
        return reference

    return wait


@pytest.fixture
def free(desk, diary):
    """The page of who fits the early time."""
    return lambda: desk.open(f"/desk/waitlist?slot={diary.slot_at(EARLY)}")


def press(desk, part, **values):
    return desk.send(next(form for form in desk.page.forms if part in form.action), **values)


def asked(diary):
    """The visits that have an offer to answer."""
    waits = select(WaitlistEntry.appointment_id).join(Offer).where(Offer.state == OfferState.OPEN)
    return diary.all(waits)


def test_who_waits_and_who_fits_are_listed_with_the_phone_number(free, wait):
    wait(LATE)
    page = free()
    assert "1 waiting" in page.text
    assert page.text.count("Person Number 1") == 2
    assert "(212) 555-0177" in page.text
    assert "Joined just now: any time" in page.text


def test_one_click_offers_the_time_and_holds_it(desk, free, wait, diary):
    wait(LATE)
    wait(LATER)
    free()
    page = press(desk, "/offer/")
    assert diary.count(Offer, Offer.state == "open") == 1
    assert "held until Wednesday, November 18, 12:00 pm" in page.text
    assert "offer" in diary.mails()


def test_who_fits_and_has_an_offer_already_is_not_said_to_be_nobody(desk, free, wait):
    assert "Nobody on the list fits.</p>" in free().text
    wait(LATE)
    free()
    press(desk, "/offer/")
    assert "Nobody on the list fits, besides who has an offer or had this one.</p>" in free().text


def test_who_is_on_the_phone_is_moved_there_at_once(desk, free, wait, diary):
    reference = wait(LATE)
    free()
    press(desk, "/move", slot=diary.slot_at(EARLY))
    assert str(diary.slot_of(reference)) == diary.slot_at(EARLY)


def test_an_offer_that_comes_too_late_says_so(desk, free, wait, book):
    wait(LATE)
    free()
    book(EARLY)
    assert "could not be offered" in press(desk, "/offer/").text


def test_who_has_no_address_is_called_instead_of_mailed(app, desk, free, wait, diary):
    wait(LATE)
    with app.app_context():
        transactional(lambda: db.session.execute(update(Patient).values(email=None)))()
    page = free()
    assert not any("/offer/" in form.action for form in page.forms)
    assert "No e-mail: call" in page.text


def test_whose_link_was_ended_is_called_instead_of_offered_a_time_that_no_mail_names(app, desk, free, wait, diary):
    reference = wait(LATE)
    form = next(form for form in free().forms if "/offer/" in form.action)
    with app.app_context():
        links.revoke(diary.scalar(select(Appointment.id).where(Appointment.reference == reference)))
    assert "the visit’s link was ended. Call instead." in desk.send(form).text
    assert (diary.count(Offer), diary.count(Slot, Slot.state == SlotState.HELD)) == (0, 0)
    page = free()
    assert not any("/offer/" in form.action for form in page.forms)
    assert page.text.count("any time. The visit’s link was ended: call") == 2


@pytest.mark.both_engines
def test_a_time_offered_to_a_visit_whose_link_is_ended_goes_to_the_next(desk, free, wait, diary):
    wait(LATE), wait(LATER)
    free()
    press(desk, "/offer/")
    (first,) = asked(diary)
    desk.open(f"/desk/visit/{first}")
    assert "The link is dead" in press(desk, "/link/end").text
    (second,) = asked(diary)
    assert second != first


class TestRequests:
    @pytest.fixture
    def asked(self, app, desk):
        person = Visitor(app)
        person.open("/request/call-back")
        person.send(name="Rae Request", phone="646 555 0111", best_time="any")
        desk.open("/desk/requests")
        return desk

    def test_a_call_that_nobody_answers_stays_on_the_list_and_counts(self, asked, clock):
        page = press(asked, "/desk/requests/", outcome="no-answer")
        clock.shift(timedelta(minutes=5))
        page = asked.open("/desk/requests")
        assert "1 open" in page.text
        assert "called 1 time without an answer, last 5 minutes ago" in page.text

    def test_what_was_settled_can_be_put_back(self, asked):
        assert "0 open" in press(asked, "/desk/requests/", outcome="reached").text
        assert "1 open" in press(asked, "/reopen").text
