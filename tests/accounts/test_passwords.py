"""A password that others have used, or would try first, is refused wherever one is chosen."""

import pytest

from portal.accounts.passwords import GUESSABLE, PERSONAL, STOLEN, find_fault
from tests.accounts.conftest import EMAIL, form_to
from tests.visitor import Visitor

NEW = "five words, none of them common"


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("PASSWORD1234", STOLEN),
        ("Password12345!", STOLEN),
        ("!!!dragon12345", STOLEN),
        ("qwertyuiopasdf", GUESSABLE),
        ("aaaaaaaaaaaaaaa", GUESSABLE),
        ("123456789012", GUESSABLE),
        ("dee.desk2026!", PERSONAL),
        ("DeeDesk-DeeDesk", PERSONAL),
        ("Test Clinic 2026", PERSONAL),
        ("clinic.example1", PERSONAL),
        ("correct staple horse", None),
        ("x7#kd92!mQp40z", None),
        ("Dee likes violet tractors", None),  # enough without the name
        (NEW, None),
        ("ß" * 128, GUESSABLE),
    ],
)
def test_what_will_do(app_context, password, fault):
    assert find_fault(password, EMAIL, "Dee Desk", "Test Clinic") == fault


def change(person, current, password, again=None):
    person.open("/desk/account/password")
    return person.send(
        form_to(person, "/account/password"), current=current, password=password, again=again or password
    )


def test_changing_it_keeps_this_session_and_ends_the_others(dee, app, password):
    other = Visitor(app)
    other.sign_in(EMAIL, password)
    assert "Your password is changed." in change(dee, password, NEW).text
    assert dee.open("/desk/sessions").path == "/desk/sessions"
    assert other.open("/desk/").path == "/desk/sign-in"
    assert Visitor(app).sign_in(EMAIL, password).path == "/desk/sign-in"
    assert Visitor(app).sign_in(EMAIL, NEW).path.startswith("/desk/day/")


@pytest.mark.parametrize(
    ("current", "new", "again", "message"),
    [
        ("wrong", NEW, NEW, "That is not your password now."),
        ("", NEW, NEW, "Enter the password that you sign in with now."),
        (None, "Dee Desk Dee Desk", None, PERSONAL),
        (None, "my test clinic", None, PERSONAL),
        (None, "password123456", None, STOLEN),
        (None, "too-brief", None, "Use at least 12 characters."),
        (None, NEW, "another", "Enter the same password in both fields."),
    ],
)
def test_one_that_will_not_do_is_explained_and_nothing_changes(dee, app, password, current, new, again, message):
    page = change(dee, password if current is None else current, new, again)
    assert (page.status, page.outcome) == (422, "invalid")
    assert page.errors == [message]
    assert new not in page.text
    assert Visitor(app).sign_in(EMAIL, password).path.startswith("/desk/day/")


def test_guessing_the_password_of_an_open_session_is_slow(dee, password):
    for _ in range(6):
        assert change(dee, "wrong", NEW).status == 422
    page = change(dee, password, NEW)
    assert (page.status, page.outcome) == (429, "limited")
