""" "I cannot look at a screen now": a way back by mail, a call back, a darker page."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from portal.assessment.models import ResumeLink
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.referrals.days import today
from portal.referrals.ledger import read_ledger
from portal.referrals.models import Journey
from portal.referrals.services import Reached
from tests.assessment.test_walk import NECK
from tests.visitor import Visitor


@pytest.fixture
def mail(visitor, app, mail_server):
    visitor.answer(**NECK)
    visitor.open("/assessment/pause")
    visitor.send(visitor.page.forms[0], email="jane@example.com")
    with app.app_context():
        send_due_mail()
    return mail_server.text()


def link_in(mail):
    return mail.split("http://127.0.0.1:8000")[1].split()[0]


def code_in(mail):
    return re.search(r"/assessment/resume\s+(\S+)", mail)[1]


def test_every_question_offers_to_stop(visitor):
    visitor.open("/assessment/")
    visitor.send()
    assert "/assessment/pause" in visitor.page.links


def test_the_mail_says_nothing_of_the_answers_nor_of_headache(mail, mail_server):
    raw = mail_server.received[0].decode().lower()
    for word in ("headache", "pain", "neck", "same side", "assessment result"):
        assert word not in raw.replace("/assessment/resume", "")


def test_the_code_works_on_another_device_however_it_is_typed(mail, app):
    device = Visitor(app)
    device.open("/assessment/resume")
    device.send(code=f" {code_in(mail).lower().replace('-', ' ')} ")
    assert device.page.path == "/assessment/check"


def use(link, browser):
    browser.open(link)
    browser.send()
    return browser


def test_who_goes_on_by_the_link_shows_nothing_of_it_to_whoever_has_sent_it(mail, visitor, app):
    passed_on = use(link_in(mail), Visitor(app))
    assert passed_on.send().outcome == "consult"
    passed_on.hold()
    passed_on.fill_in(name="Mary Major", email="mary@example.com")
    for browser in (visitor, use(link_in(mail), Visitor(app))):
        assert browser.open("/book/details").path == "/book/"
    passed_on.open("/book/check")
    assert passed_on.send().outcome == "booked"
    for browser in (visitor, use(link_in(mail), Visitor(app))):
        assert browser.open("/assessment/result").path == "/assessment/check"
        assert browser.open("/assessment/result/brief").status == 404
        assert browser.open("/book/confirmed").path != "/book/confirmed"
    assert passed_on.open("/book/confirmed").outcome == "booked"


def test_a_finished_check_goes_on_with_its_result_elsewhere_and_here_the_link_changes_nothing(mail, visitor, app):
    result = visitor.finish(**NECK)
    device = use(link_in(mail), Visitor(app))
    assert device.open("/assessment/result").outcome == result.outcome == "consult"
    assert device.open("/assessment/result/brief").status == 200
    before = count_journeys(app)
    assert use(link_in(mail), visitor).page.path == "/assessment/check"
    assert count_journeys(app) == before


@pytest.mark.both_engines
@pytest.mark.parametrize("who_books", ["the one who paused", "the one who goes on"])
def test_who_goes_on_in_another_browser_is_one_person_to_the_ledger(visitor, app, who_books):
    visitor.client.get("/r/leaflet", headers={"User-Agent": "Mozilla/5.0 Firefox/130.0"})
    visitor.answer(**NECK)
    visitor.open("/assessment/pause")
    visitor.send(visitor.page.forms[0], email="jane@example.com")
    with app.app_context():
        way_back = f"/assessment/resume/{db.session.scalars(select(ResumeLink)).one().secrets['token']}"
    if who_books == "the one who paused":
        visitor.finish(**NECK)
        visitor.book()
    device, _ = use(way_back, Visitor(app)), use(way_back, Visitor(app))
    device.send()
    if who_books == "the one who goes on":
        device.book()
    with app.app_context():
        ledger = read_ledger(today(), today())
    assert {link: tally.people for link, tally in ledger.groups.items() if tally.people} == {"leaflet": 1}
    assert ledger.total.steps == Counter(set(Reached) - {Reached.ATTENDED})


def count_journeys(app):
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(Journey))


def test_opening_the_link_changes_nothing_until_the_button_is_pressed(mail, app):
    scanner = Visitor(app)
    assert scanner.open(link_in(mail)).heading == "Welcome back"
    assert scanner.open("/assessment/check").path == "/assessment/red_flags_now"


@pytest.mark.parametrize("code", ["", "AAAA-AAAA", "x" * 100, "' OR 1=1", "\x00"])
def test_a_wrong_code_says_so(visitor, code):
    visitor.open("/assessment/resume")
    page = visitor.send(code=code)
    assert page.status == 422
    assert page.errors


def test_link_and_code_end_after_seven_days(mail, app, clock):
    clock.shift(timedelta(days=7, seconds=1))
    device = Visitor(app)
    assert device.open(link_in(mail)).status == 404
    device.open("/assessment/resume")
    assert device.send(code=code_in(mail)).status == 422


def test_the_form_sent_twice_sends_one_mail_and_with_a_corrected_address_another(visitor, app, mail_server, clock):
    form = visitor.open("/assessment/pause").forms[0]
    for email in ("jane@example.com", "jane@example.com", "jane.doe@example.com"):
        clock.shift(1)
        page = visitor.send(form, email=email)
        assert (page.path, page.heading) == ("/assessment/pause/sent", "On its way")
        assert f"<strong>{email}</strong>" in page.text
        with app.app_context():
            send_due_mail()
    sent_to = sorted(re.search(rb"\r\nTo: (\S+)", mail)[1] for mail in mail_server.received)
    assert sent_to == [b"jane.doe@example.com", b"jane@example.com"]


def test_a_link_that_went_to_a_wrong_address_opens_nothing_once_it_is_corrected(mail, visitor, app, mail_server):
    again = {}
    for email in ("Jane@example.com", "jane.doe@example.com"):
        visitor.open("/assessment/pause")
        visitor.send(visitor.page.forms[0], email=email)
        again[email] = Visitor(app).open(link_in(mail)).status
    assert again == {"Jane@example.com": 200, "jane.doe@example.com": 404}
    stranger = Visitor(app)
    stranger.open("/assessment/resume")
    assert stranger.send(code=code_in(mail)).status == 422
    with app.app_context():
        send_due_mail()
    assert Visitor(app).open(link_in(mail_server.text())).heading == "Welcome back"


def test_a_form_is_taken_with_whatever_key_and_without_one_as_before_there_were_keys(visitor):
    form = visitor.open("/assessment/pause").forms[0]
    del form.values["key"]
    assert visitor.send(form, email="jane@example.com").path == "/assessment/pause/sent"
    form = visitor.open("/assessment/pause").forms[0]
    assert visitor.send(form, email="jane@example.com", key="x").path == "/assessment/pause/sent"


def test_the_page_that_says_it_was_sent_says_so_only_then(visitor):
    assert visitor.open("/assessment/pause/sent").path == "/assessment/pause"


def test_the_code_opens_nothing_as_an_address_where_it_could_be_guessed_without_limit(mail, app):
    device = Visitor(app)
    assert device.open(f"/assessment/resume/{code_in(mail).replace('-', '')}").status == 404


def test_a_wrong_address_is_refused_with_what_to_write(visitor):
    visitor.open("/assessment/pause")
    page = visitor.send(visitor.page.forms[0], email="jane")
    assert page.errors == ["Enter an e-mail address, like name@example.com."]


def test_secrets_of_the_link_and_the_address_are_not_readable_in_the_database(mail, app):
    with app.app_context():
        row = repr(db.session.execute(text("SELECT * FROM resume_link")).one())
    for secret in ("jane@example.com", link_in(mail).rpartition("/")[2], code_in(mail).replace("-", "")):
        assert secret not in row


@pytest.mark.parametrize(("now", "outcome"), [("none", "consult"), ("neuro", "emergency")])
def test_who_goes_on_another_day_is_asked_about_the_signs_of_now_before_the_result(visitor, clock, now, outcome):
    visitor.answer(**NECK)
    clock.shift(25 * 3600)
    page = visitor.send()
    assert page.path == "/assessment/red_flags_now"
    assert page.form.values["red_flags_now"] == ["none"]
    page = visitor.send(red_flags_now=now, next="1")
    assert page.path == ("/assessment/check" if now == "none" else "/assessment/danger")
    assert visitor.send().outcome == outcome


def test_going_on_in_dim_colors_keeps_the_place(visitor):
    visitor.open("/assessment/")
    visitor.send()
    visitor.answer_page(NECK)
    visitor.open("/assessment/pause")
    dim = next(form for form in visitor.page.forms if form.action == "/display")
    assert visitor.send(dim).path == "/assessment/age_band"
    assert visitor.client.get_cookie("theme", domain="127.0.0.1").value == "dim"
    assert 'class="until-dim"' in visitor.open("/assessment/pause").text
    assert ".until-dim { display: none; }" in visitor.open("/theme.css").text


def test_a_call_back_reaches_the_desk_once_and_leaves_the_list_when_settled(visitor, desk):
    visitor.answer(**{**NECK, "age_band": "65_plus", "timeline": "new_weeks"})
    visitor.open("/request/call-back")
    form = visitor.page.form
    wish = {**form.values, "name": "Jane Doe", "phone": "212 555 0177", "note": "After lunch"}
    for _ in range(2):
        assert visitor.post(form.action, wish).heading == "Do not wait for our call: be seen today"
    page = desk.open("/desk/requests")
    assert page.text.count("(212) 555-0177") == 1
    assert "same day" in page.text
    assert "After lunch" in page.text
    settle = next(form for form in page.forms if "requests" in form.action)
    assert desk.send(settle, outcome="pigeon").status == 422
    assert "Nobody is waiting" in desk.send(settle, outcome="reached").text


def test_a_call_back_without_a_number_keeps_what_was_typed(visitor):
    visitor.open("/request/call-back")
    page = visitor.send(name="Jane Doe", phone="")
    assert page.errors == ["Enter the phone number we should call."]
    assert page.form.values["name"] == ["Jane Doe"]
