"""After the password a code: set up in a minute, used once each, and never left by typing an address."""

import email
import threading
from datetime import timedelta
from email.policy import default

import pytest

from portal.accounts.models import Proof, User
from portal.accounts.services import StaffRole, add_staff, sign_out_staff
from portal.accounts.sessions import AnsweredBefore, begin
from portal.core.db import db
from portal.core.headers import CONTENT_SECURITY_POLICY
from portal.notifications.services import send_due_mail
from tests.accounts.conftest import EMAIL, copy_of, form_to
from tests.visitor import Visitor


@pytest.fixture
def required(app):
    app.config["PORTAL"] = app.config["PORTAL"].model_copy(update={"staff_mfa": "required"})


@pytest.fixture
def phone_and_codes(dee, set_up_app):
    """Dee's app and recovery codes; she is signed in."""
    return set_up_app(dee)


def sign_in_again(app, password, email=EMAIL):
    person = Visitor(app)
    person.open("/desk/day/2026-11-20")
    person.send(email=email, password=password)
    return person


def test_where_one_is_required_nothing_of_the_desk_opens_before_it_is_set_up(required, dee, set_up_app, app):
    for place in ("/desk/", "/desk/day/2026-11-18", "/desk/account", "/desk/sessions", "/desk/requests", "/desk/staff"):
        assert dee.open(place).path == "/desk/second-factor"
        assert "One thing before the desk opens" in dee.page.text
        assert 'id="recent"' not in dee.page.text  # what was done to whom
    assert dee.client.get("/fhir/QuestionnaireResponse/00000000-0000-0000-0000-000000000000").status_code == 302
    answer = dee.client.get("/desk/day/2026-11-18?poll=1", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/desk/second-factor?next=/desk/")
    set_up_app(dee)
    assert dee.open("/desk/day/2026-11-18").path == "/desk/day/2026-11-18"


def test_from_then_on_the_password_alone_opens_nothing_and_the_code_leads_on(phone_and_codes, app, password):
    phone, _ = phone_and_codes
    person = sign_in_again(app, password)
    assert person.page.path == "/desk/second-factor/code"
    assert person.open("/desk/").path == "/desk/sign-in"
    person.send(email=EMAIL, password=password)
    page = person.send(code=f" {phone.code()[:3]} {phone.code()[3:]} ")
    assert page.path.startswith("/desk/day/")


def test_the_key_is_drawn_without_loosening_the_content_policy(dee):
    dee.open("/desk/second-factor")
    page = dee.send(form_to(dee, "/desk/second-factor/app"))
    assert "<svg" in page.text
    assert "data:image" not in page.text
    assert page.response.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    page = dee.send(form_to(dee, "/app/code"), code="000000")
    assert (page.status, page.outcome, len(page.errors)) == (422, "invalid", 1)


def test_a_code_works_once(phone_and_codes, app, password, clock):
    phone, _ = phone_and_codes
    code = phone.code()
    assert sign_in_again(app, password).send(code=code).path.startswith("/desk/day/")
    page = sign_in_again(app, password).send(code=code)
    assert (page.status, page.outcome) == (422, "invalid")
    assert "or has been used" in page.errors[0]
    clock.shift(timedelta(seconds=30))
    assert sign_in_again(app, password).send(code=phone.code()).path.startswith("/desk/day/")


def test_wrong_codes_are_throttled_and_right_ones_wipe_nothing_out(phone_and_codes, app, password, clock):
    phone, _ = phone_and_codes
    person = sign_in_again(app, password)
    for _ in range(5):
        assert person.send(code="123456").status == 422
    assert person.send(code=phone.code()).path.startswith("/desk/day/")
    clock.shift(30)
    person = sign_in_again(app, password)  # another browser, and the count of all that do not know the account
    assert person.send(code="123456").status == 422
    page = person.send(code=phone.code())
    assert (page.status, page.outcome) == (429, "limited")
    assert int(page.response.headers["Retry-After"]) <= 15 * 60
    clock.shift(timedelta(minutes=15))
    person = sign_in_again(app, password)
    assert person.send(code=phone.code()).path.startswith("/desk/day/")


def test_the_password_counts_for_ten_minutes_while_the_code_is_awaited(phone_and_codes, app, password, clock):
    phone, _ = phone_and_codes
    person = sign_in_again(app, password)
    clock.shift(timedelta(minutes=10))
    assert person.send(code=phone.code()).path == "/desk/sign-in"


def test_a_cookie_that_awaited_the_code_is_used_up_by_it(phone_and_codes, app, password, clock):
    phone, _ = phone_and_codes
    person = sign_in_again(app, password)
    copy = copy_of(person, app)
    copy.page = person.page
    person.send(code=phone.code())
    clock.shift(30)
    assert copy.send(code=phone.code()).path == "/desk/sign-in"


def test_a_recovery_code_lets_in_once_however_it_is_written(phone_and_codes, app, password, trail):
    _, codes = phone_and_codes
    assert len(set(codes)) == 10
    for typed, lets_in in ((codes[0].lower().replace("-", " "), True), (codes[0], False), (codes[1], True)):
        person = sign_in_again(app, password)
        person.open(person.page.link("/desk/recover"))
        assert person.send(code=typed).path.startswith("/desk/day/") == lets_in
    assert "8 of 10 are left" in person.open("/desk/account").text
    assert trail().count("recovery-code-used") == 2


def test_no_code_and_no_key_can_be_read_in_the_database(phone_and_codes, app):
    _, codes = phone_and_codes
    with app.app_context():
        row = db.session.execute(db.text("SELECT mf_recovery_codes, tf_totp_secret FROM staff_user")).one()
    assert not any(code in str(row) for code in codes)
    assert '"enckey"' in row[1]


def test_who_reloads_the_page_of_the_codes_is_told_that_all_is_set_up(phone_and_codes, dee):
    page = dee.open("/desk/second-factor/app")
    assert page.path == "/desk/account"
    assert "Your second step is set up." in page.text


def test_new_recovery_codes_end_the_old_ones(phone_and_codes, dee, app, password):
    _, codes = phone_and_codes
    dee.open("/desk/account")
    dee.send(form_to(dee, "/recovery-codes"))
    person = sign_in_again(app, password)
    person.open("/desk/recover")
    assert person.send(code=codes[0]).status == 422


def test_setting_up_and_doing_without_end_other_sessions_and_are_told_by_mail(
    dee, set_up_app, app, password, mail_server
):
    other = sign_in_again(app, password)
    set_up_app(dee)
    assert other.open("/desk/").path == "/desk/sign-in"
    dee.open("/desk/account")
    assert "not asked for any more" in dee.send(form_to(dee, "/app/remove")).text
    assert sign_in_again(app, password).page.path == "/desk/day/2026-11-20"
    with app.app_context():
        send_due_mail()
    message = email.message_from_bytes(mail_server.received[-1], policy=default)
    assert (message["To"], message["Subject"]) == (EMAIL, "Your account at Test Clinic was changed")
    assert "Your second step for the front desk, an app or a passkey, was changed." in mail_server.text()


def test_the_last_one_stays_where_one_is_required(required, dee, set_up_app):
    set_up_app(dee)
    dee.open("/desk/account")
    assert "This is your only second step" in dee.send(form_to(dee, "/app/remove")).text


def test_a_manager_helps_whoever_lost_phone_and_codes(phone_and_codes, dee, staff, app, password, mail_server, trail):
    manager = staff(StaffRole.MANAGER)
    with app.app_context():
        number = db.session.scalar(db.select(User.id).where(User.email == EMAIL))
    manager.open(f"/desk/staff/{number}")
    manager.send(form_to(manager, "/reset-second-step"))
    assert dee.open("/desk/").path == "/desk/sign-in"
    assert sign_in_again(app, password).page.path == "/desk/day/2026-11-20"
    assert "second-step-reset" in trail()
    assert "Second step reset" in manager.open(f"/desk/staff/{number}").text
    with app.app_context():
        send_due_mail()
    assert "A manager has reset your second step." in mail_server.text()


def test_nobody_resets_the_own_one_from_the_staff_screen(staff, app):
    manager = staff(StaffRole.MANAGER)
    with app.app_context():
        add_staff("second@clinic.example", "Second", StaffRole.MANAGER)
        own = db.session.scalar(db.select(User.id).where(User.email == "manager@clinic.example"))
    token = manager.open("/desk/staff").form.values["csrf_token"]
    for act in ("end-sessions", "reset-second-step"):
        assert manager.post(f"/desk/staff/{own}/{act}", {"csrf_token": token}).status == 409


class TestALockedScreen:
    """Whoever comes back types the password alone, as the second step was shown there."""

    def test_opens_by_the_password_of_who_left_it_as_often_as_it_locks(
        self, phone_and_codes, dee, app, password, trail
    ):
        for _ in range(2):
            lock(dee)
            assert dee.sign_in(EMAIL, password).path.startswith("/desk/day/")
        assert [action for action in trail() if action != "day-seen"][-4:] == ["locked", "signed-in"] * 2

    def test_also_when_a_colleague_worked_there_in_between(self, phone_and_codes, dee, app, password):
        with app.app_context():
            other = add_staff("otto@clinic.example", "Otto Other", StaffRole.FRONT_DESK)
        lock(dee)
        dee.sign_in("otto@clinic.example", other)
        lock(dee)
        assert dee.sign_in(EMAIL, password).path.startswith("/desk/day/")

    @pytest.mark.parametrize("over", ["8 hours", "signed out", "signed out by others", "back already", "elsewhere"])
    def test_but_not(self, phone_and_codes, dee, app, password, clock, over):
        if over == "signed out":
            dee.send(form_to(dee, "/desk/sign-out"))
        else:
            lock(dee)
        copy = copy_of(dee, app)
        if over == "8 hours":
            clock.shift(timedelta(hours=8))
        elif over == "signed out by others":
            with app.app_context():
                sign_out_staff(EMAIL)
        elif over == "back already":
            dee.sign_in(EMAIL, password)
        elif over == "elsewhere":
            copy = Visitor(app)
        assert copy.sign_in(EMAIL, password).path == "/desk/second-factor/code"

    @pytest.mark.parametrize("left", ["locked", "alone"])
    @pytest.mark.parametrize("end", ["one", "all others", "a page from before"])
    def test_is_listed_and_ended_by_its_owner_elsewhere(self, phone_and_codes, dee, app, password, clock, left, end):
        elsewhere = sign_in_again(app, password)
        elsewhere.send(code=phone_and_codes[0].code())
        before = elsewhere.open("/desk/sessions").forms
        if left == "alone":
            clock.shift(timedelta(minutes=14))
            before = elsewhere.open("/desk/sessions").forms
            clock.shift(timedelta(minutes=2))
        else:
            lock(dee)
        page = elsewhere.open("/desk/sessions")
        assert page.text.count(">locked<") == 1
        forms = [form for form in (before if end == "a page from before" else page.forms) if "/end" in form.action]
        assert [form.action.rpartition("/")[2] for form in forms] == ["end", "end", "end-others"]
        words = "You are signed out everywhere else." if end == "all others" else "Signed out there."
        assert words in elsewhere.send(forms[2 if end == "all others" else 1]).text
        assert ">locked<" not in elsewhere.page.text
        assert dee.sign_in(EMAIL, password).path == "/desk/second-factor/code"


def lock(person):
    person.open("/desk/")
    person.post("/desk/lock", person.page.form.values)


@pytest.mark.both_engines
class TestAtOnce:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def engine(self, request):
        return request.param

    @pytest.mark.parametrize("kind", ["code", "recovery code"])
    def test_a_code_that_many_send_at_the_same_moment_lets_one_in(self, phone_and_codes, app, password, kind):
        phone, codes = phone_and_codes
        people = [sign_in_again(app, password) for _ in range(5)]
        if kind == "recovery code":
            for person in people:
                person.open("/desk/recover")
        code = phone.code() if kind == "code" else codes[0]
        threads = [threading.Thread(target=lambda p=p: p.send(code=code)) for p in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(person.page.path.startswith("/desk/day/") for person in people) == 1

    def test_the_answer_of_a_passkey_begins_one_session(self, app, password):
        with app.app_context():
            begin(1, "Firefox on Windows", Proof.PASSKEY, "challenge")
            with pytest.raises(AnsweredBefore):
                begin(1, "Firefox on Windows", Proof.PASSKEY, "challenge")
