"""The links that patients, practices and colleagues hold: each opens one thing, for a while, and nothing else."""

import base64
import re
import string
from datetime import timedelta

import pytest
from sqlalchemy import select

from benchmarks.stored import note_queries
from portal.accounts import invitations
from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.assessment.models import ResumeLink
from portal.booking import feed, links, referring, waitlist
from portal.booking.models import Appointment, Offer
from portal.core import clock
from portal.core.crypto import new_token
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.scheduling.models import Provider
from tests.assessment.test_walk import NECK
from tests.data.conftest import dump
from tests.visitor import Visitor

ADDRESSES = {
    "visit": "/visit/{}",
    "resume": "/assessment/resume/{}",
    "offer": "/waitlist/{}",
    "calendar": "/calendars/{}.ics",
    "referral": "/r/{}",
    "practice": "/refer/link/{}",
    "invitation": "/desk/welcome/{}",
}
PUBLIC = {"referral", "practice"}  # printed on paper: a code, no secret; both open the same link
UNSIGNED = ("visit", "resume", "offer", "calendar")  # random numbers, looked up by their hashes
CODE = re.compile(r"Code \d{3}, [0-9A-F]+")  # of the request, on an error page
KNOWN = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def engine():
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def tokens(app, book, once):
    """A live link of each kind."""
    return once("tokens", lambda: _make_links(app, book))


def _make_links(app, book):
    link, _ = book("2026-11-23 09:00")
    waits = Visitor(app)
    waits.open(f"{link}/earlier")
    waits.send()
    freed, _ = book("2026-11-20 10:00")
    quits = Visitor(app)
    quits.open(f"{freed}/cancel")
    quits.send(choice="time")
    quits.send(confirmed="yes")
    sick = Visitor(app)
    sick.answer(**NECK)
    sick.open("/assessment/pause")
    sick.send(sick.page.forms[0], email="jane@example.com")
    with app.app_context():
        provider_id = db.session.scalar(select(Provider.id).where(Provider.code == "ada"))
        invitations.add_invited_staff("jo@clinic.example", "Jo", StaffRole.FRONT_DESK)
        return {
            "visit": link.rpartition("/")[2],
            "resume": db.session.scalar(select(ResumeLink)).secrets["token"],
            "offer": db.session.scalar(select(Offer)).token,
            "calendar": feed.renew(provider_id),
            "referral": "leaflet",
            "practice": referring.make_link("Dr. Lee", "a key of the form"),
            "invitation": invitations.sign(db.session.scalar(select(User)), clock.now())[0],
        }


def opens(app, kind, token):
    """Whether the link of a kind opens anything for somebody new."""
    response = Visitor(app).client.get(ADDRESSES[kind].format(token), follow_redirects=True)
    return response.status_code == 200 and "ended" not in response.request.path


@pytest.mark.parametrize("kind", ADDRESSES)
def test_a_link_opens_what_it_is_for_and_nothing_else(app, tokens, kind):
    assert opens(app, kind, tokens[kind])
    # A printed code that nobody knows leads to the home page, like one that is known: that is no opening.
    others = [other for other in ADDRESSES if other not in {kind, "referral"} and not {kind, other} <= PUBLIC]
    assert [other for other in others if opens(app, other, tokens[kind])] == []


@pytest.mark.parametrize("kind", [kind for kind in ADDRESSES if kind not in PUBLIC])
def test_one_that_is_not_quite_right_opens_nothing(app, tokens, kind):
    token = tokens[kind]
    swapped = token[0].swapcase() if token[0].isalpha() else "A"
    wrong = [swapped + token[1:], token[:-1], token + "A", token[::-1], token.upper(), token.lower(), f" {token[1:]}"]
    assert [t for t in wrong if t != token and opens(app, kind, t)] == []


@pytest.mark.parametrize("kind", UNSIGNED)
def test_a_wrong_one_gets_the_answer_and_costs_the_work_of_one_that_never_was(app, tokens, kind):
    """The same page after the same look-ups, so that neither words nor time tell how near a guess was."""
    token, answers = tokens[kind], []
    guesses = (new_token(), token[:-1] + ("A" if token[-1] != "A" else "B"), token[:10], "x")
    for guess in guesses:
        with note_queries() as sent:
            response = Visitor(app).client.get(ADDRESSES[kind].format(guess))
        answers.append((response.status_code, CODE.sub("", response.text), tuple(sent)))
    assert len(set(answers)) == 1
    assert answers[0][0] == 404


def test_a_visit_that_is_there_answers_a_stranger_like_one_that_is_not(app, book):
    _, reference = book("2026-11-20 09:00")
    answers = []
    for asked in (reference, "TST-XXXX-33"):
        with note_queries() as sent:
            response = Visitor(app).client.get(f"/visit/{asked}")
        answers.append((response.status_code, CODE.sub("", response.text), tuple(sent)))
    assert answers[0] == answers[1]


def test_a_secret_has_128_random_bits_and_is_nowhere_in_the_database(app, tokens):
    stored = dump(app)
    for kind in UNSIGNED:
        assert len(base64.urlsafe_b64decode(tokens[kind] + "==")) * 8 == 128
        assert tokens[kind] not in stored
    made = [new_token() for _ in range(4000)]
    assert len(set(made)) == len(made)
    first = [sum(token[place] == letter for token in made) for place in (0, 10, 20) for letter in KNOWN]
    assert max(first) < 120  # of 62.5 that are to be expected; the last letter holds fewer bits


class TestEnd:
    @pytest.mark.parametrize(("kind", "days"), [("visit", 40), ("resume", 8), ("offer", 6), ("invitation", 4)])
    def test_each_ends_by_itself_and_says_so_kindly_with_the_phone_number(self, app, tokens, kind, days, clock):
        clock.shift(timedelta(days=days))
        assert not opens(app, kind, tokens[kind])
        page = Visitor(app).open(ADDRESSES[kind].format(tokens[kind]))
        assert kind == "invitation" or "tel:2125550100" in page.links
        assert "end" in page.text

    def test_the_desk_ends_the_link_of_a_visit_for_every_browser_that_has_it_open(self, app, desk, book, diary):
        link, reference = book("2026-11-20 09:00")
        looking = Visitor(app)
        assert looking.open(link).status == 200
        desk.open(f"/desk/visit/{diary.scalar(select(Appointment.id).where(Appointment.reference == reference))}")
        page = desk.send(next(form for form in desk.page.forms if form.action.endswith("/link/end")))
        assert "The link is dead" in page.text
        assert Visitor(app).open(link).status == 404
        assert looking.open(f"/visit/{reference}").status == 404
        assert looking.open(f"/visit/{reference}/cancel").status == 404

    def test_a_new_one_is_mailed_and_the_old_one_is_dead(self, app, desk, book, diary, mail_server):
        link, reference = book("2026-11-20 09:00")
        desk.open(f"/desk/visit/{diary.scalar(select(Appointment.id).where(Appointment.reference == reference))}")
        desk.send(next(form for form in desk.page.forms if form.action.endswith("/link/renew")))
        assert Visitor(app).open(link).status == 404
        fresh = f"/visit/{diary.token(reference)}"
        assert Visitor(app).open(fresh).status == 200
        with app.app_context():
            send_due_mail()
        assert any(fresh in mail_server.text(number) for number in range(len(mail_server.received)))
        assert not any(link in mail_server.text(number) for number in range(len(mail_server.received)))

    def test_a_new_one_is_mailed_to_who_is_here_too(self, app, desk, book, diary, mail_server, clock):
        _, reference = book("2026-11-20 09:00")
        visit_id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
        clock.move_to("2026-11-20T14:05:00Z")
        desk.sign_in()
        desk.open(f"/desk/visit/{visit_id}")
        page = desk.send(next(form for form in desk.page.forms if form.action.endswith("/status")), status="arrived")
        desk.send(next(form for form in page.forms if form.action.endswith("/link/renew")))
        with app.app_context():
            send_due_mail()
        assert f"/visit/{diary.token(reference)}" in mail_server.text()
        assert "The links in our earlier mails open nothing any more." in mail_server.text()
        assert "to change or cancel it" not in mail_server.text()

    def test_of_a_cancelled_visit_there_is_no_new_one_and_the_old_one_lives(self, app, desk, book, diary):
        link, reference = book("2026-11-20 09:00")
        visit_id = diary.scalar(select(Appointment.id).where(Appointment.reference == reference))
        page = desk.open(f"/desk/visit/{visit_id}")
        renew = next(form for form in page.forms if form.action.endswith("/link/renew"))
        desk.send(next(form for form in page.forms if form.action.endswith("/cancel")), reason="patient")
        assert not [form for form in desk.page.forms if form.action.endswith("/link/renew")]
        assert "Nothing was done" in desk.send(renew).text
        assert Visitor(app).open(link).status == 200

    def test_one_without_an_address_gets_a_new_one_too(self, app, book, diary):
        link, reference = book("2026-11-20 09:00")
        with app.app_context():
            visit = db.session.scalar(select(Appointment).where(Appointment.reference == reference))
            visit.patient.email = None
            db.session.commit()
            assert links.renew(visit.id) is False
        assert Visitor(app).open(link).status == 404

    @pytest.mark.parametrize("end", [links.revoke, links.renew])
    def test_with_it_end_the_links_of_times_offered_for_the_visit(self, app, tokens, end):
        assert opens(app, "offer", tokens["offer"])
        with app.app_context():
            end(db.session.scalar(select(Offer)).entry.appointment_id)
        assert not opens(app, "offer", tokens["offer"])

    def test_an_offer_that_was_declined_still_says_what_it_was_and_takes_nothing(self, app, tokens):
        with app.app_context():
            waitlist.decline(tokens["offer"])
        assert opens(app, "offer", tokens["offer"])
