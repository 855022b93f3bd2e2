"""Guessing is slow, and costs the people who work at the clinic nothing."""

import threading
from datetime import timedelta

import pytest

from portal.accounts import passwords, throttle
from portal.accounts.services import StaffRole, add_account, add_staff, disable_staff
from portal.audit.models import AuditEntry
from portal.core import allowed
from portal.core.db import db, transactional
from portal.core.limits import count_hit
from tests.accounts.conftest import EMAIL
from tests.visitor import Visitor

CLINIC, HOME = "198.51.100.7", "203.0.113.9"


def sign_in(person, password, email=EMAIL, source=CLINIC):
    at = {"environ_overrides": {"REMOTE_ADDR": source}}
    person.open("/desk/sign-in", **at)
    return person.post("/desk/sign-in", {**person.page.form.values, "email": email, "password": password}, **at)


def sign_out(person):
    person.post("/desk/sign-out", person.open("/desk/").form.values)


@pytest.mark.parametrize("email", [EMAIL, "nobody@clinic.example", EMAIL.upper()])
def test_after_ten_wrong_passwords_an_account_waits_whether_it_exists_or_not(app, password, email, clock):
    stranger = Visitor(app)
    for number in range(10):
        page = sign_in(stranger, "wrong", email, source=f"198.51.100.{number}")
        assert (page.status, page.outcome) == (422, "invalid")
    page = sign_in(stranger, password, email, source="198.51.100.99")
    assert (page.status, page.outcome, page.response.headers["Retry-After"]) == (429, "limited", "900")
    assert "Please wait 15 minutes and try again." in page.text
    clock.shift(timedelta(minutes=15))
    assert sign_in(stranger, "wrong", email).status == 422


def test_a_stranger_does_not_lock_the_owner_out_of_the_own_browser(app, password):
    dee, stranger = Visitor(app), Visitor(app)
    sign_in(dee, password)
    sign_out(dee)
    for _ in range(11):
        page = sign_in(stranger, "wrong", source=HOME)
    assert page.status == 429
    assert sign_in(dee, password).path.startswith("/desk/day/")


def test_a_spray_from_the_clinics_address_stops_no_colleague_there(app, password):
    dee, sprayer = Visitor(app), Visitor(app)
    sign_in(dee, password)
    sign_out(dee)
    for number in range(40):
        sign_in(sprayer, "wrong", f"person{number}@clinic.example")
    assert sign_in(sprayer, "wrong", "person41@clinic.example").status == 429
    with app.app_context():
        while count_hit(allowed.SIGN_IN_POSTS, CLINIC).allowed:  # as if it went on for an hour
            pass
    assert sign_in(dee, password).path.startswith("/desk/day/")
    assert sign_in(sprayer, "wrong", "person41@clinic.example", source=HOME).status == 422


def test_a_good_sign_in_between_does_not_wipe_out_the_bad_ones(app, password):
    with app.app_context():
        own = add_staff("mallory@clinic.example", "Mallory", StaffRole.FRONT_DESK)
    for number in range(11):
        page = sign_in(Visitor(app), "wrong")
        sign_in(Visitor(app), own, "mallory@clinic.example")
        assert page.status == (422 if number < 10 else 429)


def test_what_a_browser_keeps_counts_only_for_who_signed_in_there_and_ends_with_the_password(app, password):
    with app.app_context():
        own = add_staff("mallory@clinic.example", "Mallory", StaffRole.FRONT_DESK)
    mallory = Visitor(app)
    sign_in(mallory, own, "mallory@clinic.example")
    sign_out(mallory)
    for _ in range(10):
        sign_in(mallory, "wrong")
    assert sign_in(Visitor(app), password, source=HOME).status == 429  # counted with all the others
    cookie = mallory.client.get_cookie("portal-browser", domain="127.0.0.1", path="/")
    assert (cookie.http_only, cookie.same_site) == (True, "Strict")
    forged = cookie.value[:-1] + ("x" if cookie.value[-1] != "x" else "y")
    mallory.client.set_cookie("portal-browser", forged, domain="127.0.0.1", path="/")
    assert sign_in(mallory, password).status == 429


@pytest.mark.parametrize("who", [EMAIL, "nobody@clinic.example", "closed@clinic.example", "invited@clinic.example"])
def test_each_wrong_try_costs_one_hash_whoever_is_named(app, password, who, monkeypatch):
    with app.app_context():
        add_staff("closed@clinic.example", "Closed", StaffRole.FRONT_DESK)
        disable_staff("closed@clinic.example")
        transactional(add_account)("invited@clinic.example", "Invited", StaffRole.FRONT_DESK)
    hashed = []

    def count(do):
        return lambda *given: hashed.append(1) or do(*given)

    for name in ("hash_password", "verify_password"):
        monkeypatch.setattr(passwords, name, count(getattr(passwords, name)))
    page = sign_in(Visitor(app), "wrong", who)
    assert (page.status, len(hashed)) == (422, 1)
    assert "E-mail or password is not right." in page.text


def test_without_its_table_nobody_gets_in(app, password):
    with app.app_context():
        db.session.execute(db.text("DROP TABLE hit_count"))
        db.session.commit()
    assert sign_in(Visitor(app), password).status in {500, 503}


def test_what_is_typed_is_in_no_trail_and_a_flood_is_noted_once(app, password):
    stranger = Visitor(app)
    for _ in range(15):
        sign_in(stranger, "my-secret-guess")
    sign_in(Visitor(app), "my-secret-guess", "Gertrude4711@clinic.example", source=HOME)
    with app.app_context():
        rows = db.session.scalars(db.select(AuditEntry)).all()
        text = str([(row.actor, row.action, row.subject, row.details) for row in rows]).casefold()
    assert (text.count("sign-in-refused"), text.count("sign-in-limited")) == (11, 1)
    assert "gertrude" not in text
    assert "guess" not in text


@pytest.mark.both_engines
class TestAtOnce:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def engine(self, request):
        return request.param

    def test_many_guesses_at_the_same_moment_are_no_more_than_ten(self, app, password, monkeypatch):
        tried, lock = [], threading.Lock()
        original = throttle._note

        def note(action, user, limit):
            with lock:
                tried.append(action)
            original(action, user, limit)

        monkeypatch.setattr(throttle, "_note", note)
        people = [Visitor(app) for _ in range(16)]
        for person in people:
            person.open("/desk/sign-in")
        threads = [threading.Thread(target=lambda p=p: p.send(email=EMAIL, password="wrong")) for p in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert tried.count("sign-in-refused") == 10
