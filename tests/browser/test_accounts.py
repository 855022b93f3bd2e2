"""Signing in by passkey and by app, as it goes in a browser."""

import re

import pytest
from passlib.totp import TOTP
from playwright.sync_api import expect

from portal.accounts.services import StaffRole, add_staff
from tests.browser.conftest import DESKTOP, assert_accessible, follow


@pytest.fixture
def password(portal, request):
    """Of an account of this test's own."""
    with portal.app.app_context():
        return add_staff(f"{request.node.name[:20]}@clinic.example", "Pat Passkey", StaffRole.MANAGER)


@pytest.fixture
def email(request):
    return f"{request.node.name[:20]}@clinic.example"


def add_authenticator(page):
    """A device with a fingerprint reader built in."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
               "isUserVerified": True, "automaticPresenceSimulation": True}  # fmt: skip
    number = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    return lambda verified: session.send(
        "WebAuthn.setUserVerified", {"authenticatorId": number, "isUserVerified": verified}
    )


def sign_in(page, email, password):
    page.goto("/desk/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    follow(page.get_by_role("button", name="Sign in", exact=True))


def test_a_passkey_built_into_the_device_is_made_signs_in_confirms_and_is_removed(open_browser, email, password):
    page = open_browser(viewport=DESKTOP)
    set_verified = add_authenticator(page)
    sign_in(page, email, password)
    page.goto("/desk/account")
    assert_accessible(page)
    follow(page.get_by_role("link", name="Add a passkey"))
    assert_accessible(page)
    page.get_by_label("What to call it").fill("This computer")
    follow(page.get_by_role("button", name="Make the passkey"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Keep these recovery codes")
    assert page.locator(".codes code").count() == 10
    assert_accessible(page)

    follow(page.get_by_role("link", name="I have kept them"))
    follow(page.get_by_role("button", name="Sign out"))
    assert_accessible(page)
    follow(page.get_by_role("button", name="Sign in with a passkey"))
    expect(page).to_have_url(re.compile("/desk/day/"))

    page.goto("/desk/verify?next=/desk/account")
    assert_accessible(page)
    follow(page.get_by_role("button", name="Use a passkey instead"))
    expect(page).to_have_url(re.compile("/desk/account$"))

    follow(page.get_by_role("button", name="Sign out"))
    set_verified(False)  # somebody else holds the device
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("The passkey was not used.")).to_be_visible()
    sign_in(page, email, password)
    expect(page.get_by_role("heading", level=1)).to_have_text("Now your passkey")
    assert_accessible(page)
    set_verified(True)
    follow(page.get_by_role("button", name="Use my passkey"))
    page.goto("/desk/account")
    follow(page.get_by_role("button", name="Remove This computer"))
    expect(page.get_by_text("That passkey works no more.")).to_be_visible()
    follow(page.get_by_role("button", name="Sign out"))
    follow(page.get_by_role("button", name="Sign in with a passkey"))
    expect(page.get_by_text("That passkey did not work here.").first).to_be_visible()


def test_an_app_is_set_up_without_javascript(open_browser, email, password):
    page = open_browser(javascript=False, viewport=DESKTOP)
    sign_in(page, email, password)
    page.goto("/desk/account")
    follow(page.get_by_role("link", name="Set up a second step"))
    follow(page.get_by_role("button", name="Use an app"))
    app = TOTP(key=page.locator(".hint code").inner_text())
    page.get_by_label("Six digits from your app").fill(app.generate().token)
    follow(page.get_by_role("button", name="Check the code"))
    code = page.locator(".codes code").first.inner_text()
    follow(page.get_by_role("button", name="Sign out"))
    sign_in(page, email, password)
    follow(page.get_by_role("link", name="No phone? Use a recovery code"))
    page.get_by_label("Recovery code").fill(code)
    follow(page.get_by_role("button", name="Continue"))
    expect(page).to_have_url(re.compile("/desk/day/"))


def test_the_pages_of_the_second_step_can_be_used_by_everybody(open_browser, email, password):
    page = open_browser(viewport=DESKTOP)
    sign_in(page, email, password)
    for address in ("/desk/second-factor", "/desk/account/password", "/desk/sessions"):
        page.goto(address)
        assert_accessible(page)
    page.goto("/desk/second-factor")
    follow(page.get_by_role("button", name="Use an app"))
    assert_accessible(page)
    app = TOTP(key=page.locator(".hint code").inner_text())
    page.get_by_label("Six digits from your app").fill(app.generate().token)
    follow(page.get_by_role("button", name="Check the code"))
    follow(page.get_by_role("button", name="Sign out"))
    sign_in(page, email, password)
    assert_accessible(page)
    page.goto("/desk/recover")
    assert_accessible(page)
