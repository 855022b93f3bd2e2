"""The addresses that scanners, researchers and password managers look for on any site."""

from datetime import datetime, timedelta

from portal.core import clock as portal_clock


def test_whom_to_tell_of_a_weakness_is_the_clinics_mailbox_and_never_out_of_date(visitor, clock):
    for _ in range(2):
        page = visitor.open("/.well-known/security.txt")
        assert page.response.content_type == "text/plain; charset=utf-8"
        said = dict(line.split(": ") for line in page.text.splitlines())
        expires = datetime.fromisoformat(said.pop("Expires"))
        assert timedelta() < expires - portal_clock.now() < timedelta(days=365)
        assert said == {
            "Contact": "mailto:appointments@clinic.example",
            "Preferred-Languages": "en",
            "Canonical": "http://127.0.0.1:8000/.well-known/security.txt",
        }
        clock.shift(timedelta(days=400))


def test_a_password_manager_is_led_to_where_staff_change_theirs(visitor, desk):
    assert desk.client.get("/.well-known/change-password").status_code == 302
    assert desk.open("/.well-known/change-password").path == "/desk/account/password"
    assert visitor.open("/.well-known/change-password").path == "/desk/sign-in"
