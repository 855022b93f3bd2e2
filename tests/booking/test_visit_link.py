"""The link in the mail: see the visit, cancel it in two steps, take it again. GET changes nothing."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from portal.booking import changes, waitlist
from portal.booking.links import renew
from portal.booking.models import Appointment
from portal.booking.wishes import Wishes
from portal.core.db import db
from portal.notifications.letters import write_letter
from portal.notifications.models import OutgoingMail
from portal.notifications.services import send_due_mail
from tests.conftest import ROOT
from tests.visitor import Visitor


@pytest.fixture
def link(app, visitor):
    """The link as it stands in the mail, with its token."""
    visitor.pass_safety()
    visitor.book()
    with app.app_context():
        return f"/visit/{db.session.scalar(select(Appointment)).token}"


@pytest.fixture
def holder(app, link):
    """Whoever opens the link, on another device without the booking's cookie."""
    holder = Visitor(app)
    holder.open(link)
    return holder


def everything(app):
    """What the database says, but for the audit trail of reads."""
    tables = ("slot", "appointment", "outgoing_mail", "patient", "journey", "milestone", "booking_draft")
    tables += ("waitlist_entry", "offer")
    with app.app_context():
        return {name: sorted(map(repr, db.session.execute(text(f"SELECT * FROM {name}")))) for name in tables}


def test_the_link_shows_the_visit_and_no_health_detail(holder):
    assert (holder.page.status, holder.page.outcome) == (200, "booked")
    assert "Wednesday, November 18" in holder.page.text
    assert "consult" not in holder.page.text.lower()


def test_cancelling_takes_a_choice_and_a_confirmation_and_can_be_undone(holder, link):
    holder.open(f"{link}/cancel")
    holder.send(choice="time")
    assert holder.page.heading == "Cancel this visit?"
    assert Visitor(holder.client.application).open(link).outcome == "booked"
    assert holder.send(confirmed="yes").outcome == "cancelled"
    assert holder.send(choice="leave").outcome == "cancelled"
    page = holder.send()
    assert (page.status, page.outcome, page.errors) == (422, "invalid", ["Choose whether to take the time again."])
    assert holder.send(choice="again").outcome == "booked"


def test_keeping_the_visit_changes_nothing(holder, link):
    holder.open(f"{link}/cancel")
    assert holder.send(choice="keep").outcome == "kept"
    holder.open(f"{link}/cancel")
    holder.send(choice="time")
    assert holder.send(confirmed="no").outcome == "kept"


def press_every_first_button(scanner, depth=2):
    """Of the page, and of the pages that this leads to."""
    for form in [form for form in scanner.page.forms if form.method == "post"]:
        name, value = (*form.buttons, ("", ""))[0]
        scanner.send(form, **({name: value} if name else {}))
        if depth > 1:
            press_every_first_button(scanner, depth - 1)


def test_a_mail_scanner_that_opens_every_link_and_presses_every_first_button_changes_nothing(app, link):
    before = everything(app)
    scanner = Visitor(app)
    for path in (link, f"{link}/cancel", f"{link}/calendar.ics"):
        for method in ("GET", "HEAD"):
            assert scanner.client.open(path, method=method, follow_redirects=True).status_code == 200
        scanner.open(path)
        press_every_first_button(scanner)
    assert everything(app) == before


def links_in_mail(app):
    """The links in all letters about visits that are true now, each with the kind of its letter."""
    with app.test_request_context():
        mails = db.session.scalars(select(OutgoingMail)).all()
        letters = [(mail.kind, write_letter(mail.kind, mail.about_id, mail.sequence)) for mail in mails]
    return {
        (kind.partition(":")[0], address)
        for kind, letter in letters
        if letter
        for address in re.findall(r"/(?:visit|waitlist)/[\w-]+", f"{letter.html} {letter.unsubscribe}")
    }


def test_a_mail_scanner_changes_nothing_behind_the_link_of_any_mail(app, book, clock, diary, mail_server):
    """Of visits booked, moved, cancelled, sent once more, offered an earlier time and not offered it any more."""
    visits = [book(f"2026-11-20 {hour:02}:00") for hour in (9, 10, 11)]
    ids = [diary.scalar(select(Appointment.id).where(Appointment.reference == name)) for _, name in visits]
    with app.test_request_context():
        waitlist.join(ids[2], Wishes())
        changes.move(ids[1], int(diary.slot_at("2026-11-23 10:00")))
        changes.cancel(ids[0], "time")
        renew(ids[1])
    seen = set()
    for pause in (timedelta(), timedelta(hours=3)):
        clock.shift(pause)
        with app.test_request_context():
            waitlist.tend()
            send_due_mail()
        before = everything(app)
        for kind, address in links_in_mail(app):
            scanner = Visitor(app)
            assert scanner.open(address).status == 200
            press_every_first_button(scanner)
            assert everything(app) == before, kind
            seen.add(kind.removeprefix("new-"))  # a new link is the letter of a link, in other words
    written = [(path.parent.name, path.read_text()) for path in (ROOT / "templates" / "mail").glob("*/body.txt")]
    assert seen == {kind for kind, words in written if re.search("manage_url|offer_url|_manage", words)}


def test_cancelling_by_get_is_not_possible(app, link):
    before = everything(app)
    scanner = Visitor(app)
    assert scanner.open(f"{link}/cancel?choice=time&confirmed=yes").heading == "What would you like to do?"
    assert scanner.open(f"{link}/undo").status == 405
    assert everything(app) == before


def test_a_freed_time_can_be_booked_by_somebody_else_and_then_not_be_taken_back(holder, link, app):
    holder.open(f"{link}/cancel")
    holder.send(choice="time")
    holder.send(confirmed="yes")
    undo = holder.page.form
    somebody = Visitor(app)
    somebody.pass_safety()
    assert somebody.book().outcome == "booked"
    page = holder.send(undo, choice="again")
    assert (page.status, page.outcome) == (409, "taken")


def test_a_visit_that_has_begun_cannot_be_cancelled_online(holder, link, clock):
    holder.open(f"{link}/cancel")
    holder.send(choice="time")
    confirm = holder.page.form
    clock.shift(timedelta(days=1))
    holder.open(link)
    page = holder.send(confirm, confirmed="yes")
    assert (page.status, page.outcome) == (409, "unavailable")
    assert "tel:2125550100" in page.links
    assert holder.open(f"{link}/cancel").heading == "This visit is over"


@pytest.mark.parametrize("token", ["x", "A" * 22, "%00", "..%2f..", "ß" * 20])
def test_a_guessed_link_opens_nothing_and_says_how_to_get_in(visitor, token):
    for suffix in ("", "/cancel", "/calendar.ics"):
        assert visitor.open(f"/visit/{token}{suffix}").status == 404


def test_over_tls_the_forms_of_a_page_that_sends_no_referrer_work(holder, link):
    tls = {"base_url": "https://127.0.0.1:8000"}
    browser = Visitor(holder.client.application)
    browser.open(f"{link}/cancel", **tls)
    page = browser.post(browser.page.form.action, {**browser.page.form.values, "choice": "keep"}, **tls)
    assert (page.status, page.outcome) == (200, "kept")


def test_the_link_does_not_leave_with_a_referrer_and_the_page_is_not_kept(holder, link):
    for address in (link, link[:-1]):
        assert holder.client.get(address).headers["Referrer-Policy"] == "no-referrer"
    assert holder.page.response.headers["Cache-Control"] == "no-store"


def test_choosing_colours_leads_back_to_the_visit(holder):
    assert holder.page.response.headers["Referrer-Policy"] == "same-origin"
    visit = holder.page.path
    holder.open("/display", headers={"Referer": f"http://127.0.0.1:8000{visit}"})
    assert holder.send(theme="dim").path == visit


def test_the_token_is_in_the_database_neither_plain_nor_guessable(app, link):
    token = link.rpartition("/")[2]
    assert len(token) >= 22
    with app.app_context():
        row = db.session.execute(text("SELECT * FROM appointment")).one()
    assert token not in repr(row)


def test_the_calendar_file_holds_the_visit_in_neutral_words(holder, link):
    response = holder.client.get(f"{link}/calendar.ics")
    assert response.mimetype == "text/calendar"
    assert "SUMMARY:Appointment – Test Clinic" in response.text
    assert "DTSTART:20261118T170000Z" in response.text
    assert "METHOD:PUBLISH" in response.text
