"""What could do harm asks once more who is there, and loses nothing that was typed."""

from datetime import timedelta
from uuid import UUID

import pytest

from portal.access import POLICIES, RECENT_SIGN_IN
from portal.accounts.models import User
from portal.accounts.services import StaffRole
from portal.core.db import db
from tests.accounts.conftest import EMAIL, form_to

EXPORT = "/desk/export.csv?from=2026-11-18&until=2026-11-20"


@pytest.fixture
def manager(staff, clock):
    """A manager who has been at work for sixteen minutes."""
    person = staff(StaffRole.MANAGER)
    for _ in range(2):
        clock.shift(timedelta(minutes=8))
        person.open("/desk/sessions")
    return person


@pytest.fixture
def managers_password(app, manager):
    """As the fixture that signed her in has it."""
    return manager._account["password"]


def list_actions(app):
    """Each route that needs somebody signed in, with each of its methods and an address; the one that locks last."""
    values = {"UUIDConverter": UUID(int=0), "IntegerConverter": 999, "AnyConverter": "places"}
    with app.test_request_context():
        adapter = app.create_url_adapter(None) or app.url_map.bind("127.0.0.1:8000")
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint == "screen.lock"):
            given = {name: values.get(type(kind).__name__, "2026-11-18") for name, kind in rule._converters.items()}
            for method in (rule.methods & {"GET", "POST"}) if POLICIES[rule.endpoint] else ():
                yield rule.endpoint, method, adapter.build(rule.endpoint, given, method=method)


def test_each_such_action_asks_and_no_other_does(manager, app):
    asking, actions = set(), list(list_actions(app))
    token = manager.open("/desk/find").form.values["csrf_token"]
    for endpoint, method, address in actions:
        response = manager.client.open(address, method=method, data={"csrf_token": token} if method == "POST" else None)
        if "Is it still you" in response.text or response.headers.get("Location", "").startswith("/desk/verify?"):
            asking.add(endpoint)
    asking -= {"recent.ask", "recent.confirm", "recent.use_passkey"}  # the page that asks itself
    assert asking == RECENT_SIGN_IN
    assert all(POLICIES[endpoint] for endpoint in RECENT_SIGN_IN)


def test_a_download_goes_on_after_the_password(manager, managers_password):
    page = manager.open(EXPORT)
    assert page.path == "/desk/verify"
    page = manager.send(password="wrong")
    assert (page.status, page.errors) == (422, ["The password is not right."])
    page = manager.send(password=managers_password)
    assert page.response.mimetype == "text/csv"
    assert manager.open(EXPORT).response.mimetype == "text/csv"  # counts for the next fifteen minutes


def test_a_form_that_was_filled_in_is_sent_after_the_password_and_not_before(manager, managers_password, app):
    def names():
        with app.app_context():
            return db.session.scalars(db.select(User.name)).all()

    manager.open("/desk/staff")
    typed = {"name": "Jo “New” <b>", "email": "jo@clinic.example", "role": "front-desk", "provider_id": ""}
    page = manager.send(form_to(manager, "/desk/staff"), **typed)
    assert (page.status, page.heading) == (401, "Is it still you, Test manager?")
    page = manager.send(password=managers_password)
    assert page.heading == "Thank you. Nothing was lost"
    assert "Jo “New” <b>" not in names()
    page = manager.send()
    assert page.path == "/desk/staff"
    assert "Jo “New” <b>" in names()


def test_a_code_of_the_app_will_do_and_one_that_was_used_will_not(dee, set_up_app, clock, password):
    phone, _ = set_up_app(dee)
    for _ in range(2):
        clock.shift(timedelta(minutes=8))
        dee.open("/desk/sessions")
    dee.open("/desk/passkeys/new")
    code = phone.code()
    assert dee.send(code="000000").errors == ["That code is not right, or has been used."]
    assert dee.send(code=code).path == "/desk/passkeys/new"
    dee.open("/desk/verify?next=/desk/account")
    assert dee.send(code=code).status == 422


def test_six_wrong_passwords_and_the_right_one_has_to_wait(manager, managers_password):
    manager.open(EXPORT)
    for _ in range(6):
        assert manager.send(password="wrong").status == 422
    page = manager.send(password=managers_password)
    assert (page.status, page.outcome) == (429, "limited")


@pytest.mark.parametrize(
    "target",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "/desk/\\evil", "javascript:alert(1)", "/book/", ""],
)
def test_it_never_leads_out_of_the_desk(manager, managers_password, target):
    manager.open("/desk/verify", query_string={"next": target})
    assert manager.page.form.values["next"] == ["/desk/"]
    form = manager.page.form
    data = {**form.values, "next": target, "kept": "[]", "password": managers_password}
    assert manager.post(form.action, data).form.action == "/desk/"


def test_htmx_is_led_to_the_page_that_asks_by_a_local_address(manager):
    token = manager.open("/desk/staff").form.values["csrf_token"][0]
    for shown, leads_to in (
        ("http://127.0.0.1:8000/desk/staff?page=2", "/desk/verify?next=/desk/staff?page%3D2"),
        ("https://evil.example/x", "/desk/verify?next=/desk/"),
    ):
        answer = manager.client.post(
            "/desk/staff",
            data={"csrf_token": token, "email": EMAIL},
            headers={"HX-Request": "true", "HX-Current-URL": shown},
        )
        assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, leads_to)


def test_it_is_a_page_for_whoever_is_signed_in(visitor):
    assert visitor.open("/desk/verify").path == "/desk/sign-in"
