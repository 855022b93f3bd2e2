"""Managers look after colleagues' accounts; nobody locks everybody out."""

import threading

import pytest
from sqlalchemy import select, update

from portal.accounts.models import User
from portal.accounts.roster import LastManager, change_member, close_member, read_member
from portal.accounts.services import StaffRole, add_staff
from portal.core.db import db
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.services import send_due_mail
from portal.scheduling.models import Provider
from tests.frontdesk.test_diary import fill
from tests.frontdesk.test_setup import form_to
from tests.visitor import Visitor

JO = "jo@clinic.example"
PASSWORD = "four words, not together"


@pytest.fixture
def engine() -> str:
    """Only the race below is different on another database."""
    return "sqlite"


@pytest.fixture
def manager(staff):
    return staff(StaffRole.MANAGER)


@pytest.fixture
def jo(app):
    """Jo, at the front desk: the id and the first password."""
    with app.app_context():
        password = add_staff(JO, "Jo New", StaffRole.FRONT_DESK)
        return db.session.scalar(select(User.id).where(User.email == JO)), password


def sign_in(app, password, email=JO):
    person = Visitor(app)
    person.open("/desk/sign-in")
    person.send(email=email, password=password)
    return person


def read_link(app, mail_server):
    with app.app_context():
        send_due_mail()
    lines = mail_server.text().splitlines()
    return [line for line in lines if "/desk/welcome/" in line and line.startswith("http")][-1].partition(":8000")[2]


def test_a_colleague_is_invited_with_a_role_and_a_diary_and_chooses_a_password(manager, app, mail_server):
    manager.open("/desk/staff")
    page = fill(manager, "/staff", name="Jo New", email=JO, role="clinician", provider_id="1")
    assert "Jo New gets a mail" in page.text
    assert "clinician, diary of Ada Test, MD" in page.text
    assert "Has not signed in yet" in page.text
    person = Visitor(app)
    person.open(read_link(app, mail_server))
    person.send(password=PASSWORD, again=PASSWORD)
    sign_in(app, PASSWORD)
    assert "Last signed in just now" in manager.open("/desk/staff").text.partition("Jo New")[2]


def test_an_invitation_that_makes_no_sense_is_explained(manager):
    for wrong, message in (
        ({"name": ""}, "Enter the name."),
        ({"email": "nowhere"}, "Enter an e-mail address, like name@example.com."),
        ({"email": "manager@clinic.example"}, "There is an account with this address already: see the list."),
        ({"role": "owner"}, "Not a valid choice."),
        ({"provider_id": "999"}, "Not a valid choice."),
    ):
        manager.open("/desk/staff")
        page = fill(manager, "/staff", **{"name": "Jo", "email": JO, "role": "front-desk", **wrong})
        assert (page.status, page.errors) == (422, [message])


def test_a_role_is_changed_and_counts_at_the_next_click(manager, app, jo):
    person = sign_in(app, jo[1])
    assert person.open("/desk/staff").status == 403
    manager.open(f"/desk/staff/{jo[0]}")
    fill(manager, f"/staff/{jo[0]}", role="manager", name="Jo Older")
    assert person.open("/desk/staff").path == "/desk/sign-in"  # the session ends with the role
    assert sign_in(app, jo[1]).open("/desk/staff").path == "/desk/staff"
    text = manager.open(f"/desk/staff/{jo[0]}").text
    assert "Role: from “Front desk” to “Manager”" in text
    assert "Changed by Test manager" in text


def test_closing_ends_the_session_and_an_invitation_opens_the_account_again(manager, app, jo, mail_server):
    person = sign_in(app, jo[1])
    manager.open(f"/desk/staff/{jo[0]}")
    assert "is closed" in fill(manager, "/close").text
    assert person.open("/desk/").path == "/desk/sign-in"
    manager.open(f"/desk/staff/{jo[0]}")
    fill(manager, "/invite")
    person.open(read_link(app, mail_server))
    person.send(password=PASSWORD, again=PASSWORD)
    assert sign_in(app, PASSWORD).page.path.startswith("/desk/day/")
    assert sign_in(app, jo[1]).page.path == "/desk/sign-in"


def test_nobody_closes_resets_or_demotes_the_own_account(manager, app):
    with app.app_context():
        add_staff("second@clinic.example", "Second", StaffRole.MANAGER)
        own = db.session.scalar(select(User.id).where(User.email == "manager@clinic.example"))
    page = manager.open(f"/desk/staff/{own}")
    assert not any(form.action.endswith(("/close", "/invite")) for form in page.forms)
    token = page.form.values["csrf_token"]
    for act in ("close", "invite"):
        page = manager.post(f"/desk/staff/{own}/{act}", {"csrf_token": token})
        assert (page.status, "This is your own account" in page.text) == (409, True)
    manager.open(f"/desk/staff/{own}")
    page = fill(manager, f"/staff/{own}", role="front-desk")
    assert (page.status, page.errors) == (422, ["This is your own account: ask another manager to do this."])
    assert manager.open("/desk/staff").status == 200


def test_two_managers_at_one_account_lose_nothing(manager, app, jo):
    manager.open(f"/desk/staff/{jo[0]}")
    with app.app_context():
        user = db.session.get(User, jo[0])
        change_member(jo[0], {**read_member(user), "provider_id": 2}, read_member(user), acting=0)
    page = fill(manager, f"/staff/{jo[0]}", name="Jo Mine")
    assert page.status == 409
    assert "Ben Test, NP" in page.text
    values = form_to(page, f"/staff/{jo[0]}").values
    assert (values["name"], values["provider_id"]) == (["Jo Mine"], ["2"])
    assert "Saved." in fill(manager, f"/staff/{jo[0]}").text


def test_a_diary_that_is_no_longer_in_use_stays_that_of_its_account(manager, app, jo):
    with app.app_context():
        db.session.get(User, jo[0]).provider_id = 1
        db.session.get(Provider, 1).active = False
        db.session.commit()
    manager.open(f"/desk/staff/{jo[0]}")
    assert "Saved." in fill(manager, f"/staff/{jo[0]}", name="Jo Newer").text
    with app.app_context():
        assert db.session.get(User, jo[0]).provider_id == 1


@pytest.mark.parametrize("role", [StaffRole.FRONT_DESK, StaffRole.CLINICIAN])
def test_only_managers_see_and_change_accounts(staff, jo, role):
    person = staff(role)
    token = person.open("/desk/").form.values["csrf_token"]
    for path in ("", f"/{jo[0]}", f"/{jo[0]}/close", f"/{jo[0]}/invite"):
        assert person.post(f"/desk/staff{path}", {"csrf_token": token}).status == 403
    assert person.open("/desk/staff").status == 403


def test_mail_about_accounts_is_for_managers_to_decide_on(manager, staff, app):
    manager.open("/desk/staff")
    fill(manager, "/staff", name="Jo New", email=JO, role="manager", provider_id="")
    with app.app_context():
        mail_id = db.session.scalar(select(OutgoingMail.id))
        db.session.execute(update(OutgoingMail).values(state=MailState.FAILED))
        db.session.commit()
    desk = staff(StaffRole.FRONT_DESK)
    token = desk.open("/desk/mail/").form.values["csrf_token"]
    assert "a manager decides on it" in desk.page.text
    for act in ("send", "withhold", "settle"):
        assert f"/desk/mail/{mail_id}/{act}" not in desk.page.text
        assert desk.post(f"/desk/mail/{mail_id}/{act}", {"csrf_token": token}).status == 403
    with app.app_context():
        db.session.execute(update(OutgoingMail).values(state=MailState.HELD))
        db.session.commit()
    assert "0 mails will not leave." in desk.post("/desk/mail/held", {"csrf_token": token, "choice": "none"}).text
    manager.open("/desk/mail/")
    fill(manager, f"/{mail_id}/send")
    with app.app_context():
        assert db.session.scalar(select(OutgoingMail.state)) == MailState.QUEUED


def test_an_account_that_is_not_there_is_not_found(manager):
    assert manager.open("/desk/staff/999").status == 404
    assert manager.open(f"/desk/staff/{2**40}").status == 404


@pytest.mark.both_engines
class TestAtOnce:
    @pytest.fixture(params=["sqlite", "postgresql"])
    def engine(self, request):
        return request.param

    def test_two_managers_who_close_each_other_leave_one(self, app):
        with app.app_context():
            for email in ("one@clinic.example", "two@clinic.example"):
                add_staff(email, email, StaffRole.MANAGER)
            one, two = db.session.scalars(select(User.id).order_by(User.id)).all()
        answers = []

        def close(user_id, acting):
            with app.app_context():
                try:
                    answers.append(close_member(user_id, acting))
                except LastManager as error:
                    answers.append(error)

        threads = [threading.Thread(target=close, args=pair) for pair in ((one, two), (two, one))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(isinstance(answer, LastManager) for answer in answers) == 1
        with app.app_context():
            assert sorted(user.active for user in db.session.scalars(select(User))) == [False, True]
