"""The front door, the colours, and the pages for machines."""

import pytest

from portal.core.db import db


def test_the_home_page_names_the_next_free_time_and_leads_on(visitor):
    page = visitor.open("/")
    assert "Wednesday, November 18, 12:00 pm EST" in page.text
    assert {"/assessment/", "/book/", "/articles/cervicogenic-headache"} <= set(page.links)
    assert "tel:2125550100" in page.links


def test_colours_are_chosen_without_a_script_and_remembered(visitor):
    assert "--paper" not in visitor.open("/theme.css").text
    visitor.open("/display", headers={"Referer": "http://127.0.0.1:8000/articles/"})
    assert visitor.send(theme="dim").path == "/articles/"
    theme = visitor.open("/theme.css")
    assert "--paper: #0f0c09" in theme.text
    assert "Cookie" in theme.response.vary


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "", "javascript:x"])
def test_choosing_colours_never_leads_out_of_the_portal(visitor, back):
    visitor.open("/display")
    assert visitor.send(theme="dark", back=back).path == "/"


def test_an_unknown_colour_asks_again(visitor):
    visitor.open("/display")
    assert visitor.send(theme="pink").status == 422
    visitor.client.set_cookie("theme", "../../config", domain="127.0.0.1")
    assert visitor.open("/theme.css").status == 200


def test_the_portal_says_that_it_is_alive_and_ready(visitor):
    assert visitor.open("/healthz").text == "alive\n"
    page = visitor.open("/readyz")
    assert page.status == 200
    assert page.text.splitlines()[0].startswith("ok migrations")


def test_it_is_not_ready_when_mail_has_waited_too_long(visitor, clock):
    visitor.pass_safety()
    visitor.book()
    clock.shift(20 * 60)
    page = visitor.open("/readyz")
    assert page.status == 503
    assert "FAIL mail: oldest waiting 1200 s" in page.text


def test_it_is_not_ready_on_an_older_schema(visitor, app):
    with app.app_context():
        db.session.execute(db.text("UPDATE alembic_version SET version_num = '0001'"))
        db.session.commit()
    assert "FAIL migrations: at 0001" in visitor.open("/readyz").text


def test_without_a_clinic_it_says_what_to_load(visitor, app):
    with app.app_context():
        db.session.execute(db.text("DELETE FROM clinic"))
        db.session.commit()
    assert "flask clinic load FILE" in visitor.open("/readyz").text
    assert visitor.open("/").status == 200
    assert visitor.open("/book/").status == 200


def test_the_doctor_names_what_waits_for_somebody(app, visitor, mail_server):
    from portal.notifications.services import send_due_mail

    doctor = app.test_cli_runner().invoke(args=["doctor"])
    assert doctor.exit_code == 0, doctor.output
    visitor.pass_safety()
    visitor.book()
    mail_server.answers["rcpt"] = "550 no such user"
    with app.app_context():
        send_due_mail()
    doctor = app.test_cli_runner().invoke(args=["doctor"])
    assert doctor.exit_code == 1
    assert "FAIL mail for the desk: 1 did not arrive" in doctor.output
