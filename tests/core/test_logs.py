"""What the portal says of itself: enough to find an error, and nothing of anybody."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import subprocess
import sys
from urllib.parse import quote

import pytest
from flask import request
from sqlalchemy import text

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.booking.models import Appointment
from portal.core.db import db
from portal.core.logs import JsonLines, StandardError, request_id
from portal.notifications.services import send_due_mail
from tests import servers
from tests.assessment.test_walk import NECK
from tests.conftest import make_settings, settings_environment, with_quick_hashes
from tests.visitor import Visitor

ADDRESS = "https://portal.example"
NAME, EMAIL, NOTE, WORD = "Zebulon Canarybird", "zebulon@canarymail.example", "canary-note-in-words", "canary-search"
PHONE, BIRTH = "212 555 0199", "1/23/1984"
CANARIES = ["Zebulon", "Canarybird", "canarymail", "canary", "5550199", "555 0199", "555-0199", "1984-01-23"]
CANARIES += [BIRTH, "neck_base", "same_side", "hours_days", "203.0.113.66"]


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture(autouse=True)
def quiet_again():
    """A portal in production takes over what the process says; the next test begins as this one did."""
    root, before = logging.getLogger(), (sys.excepthook,)
    handlers = list(root.handlers)
    yield
    root.handlers[:], (sys.excepthook,) = handlers, before


@pytest.fixture
def production(settings, clock):
    """A portal in production whose mail server does not answer."""
    closed = f"smtp://127.0.0.1:{servers.free_port()}"
    values = {"base_url": ADDRESS, "smtp_url": closed, "database_url": settings.database, "staff_mfa": "optional"}
    app = with_quick_hashes(create_app(make_settings(settings.data_dir, env="production", **values)))
    yield app
    with app.app_context():
        db.engine.dispose()


class Person(Visitor):
    """A visitor of the portal in production."""

    def __init__(self, app):
        super().__init__(app)
        self.client.environ_base.update({"HTTP_HOST": "portal.example", "wsgi.url_scheme": "https"})
        self.client.environ_base.update({"HTTP_REFERER": f"{ADDRESS}/", "REMOTE_ADDR": "203.0.113.66"})

    def open(self, path, **options):
        return super().open(path, base_url=ADDRESS, **options)

    def post(self, path, data, **options):
        return super().post(path, data, base_url=ADDRESS, **options)


def lines_of(captured):
    return [json.loads(line) for line in captured.err.splitlines() if line.startswith("{")]


def test_a_request_is_one_line_with_its_route_and_none_of_its_address(production, capsys):
    person = Person(production)
    page = person.open(f"/visit/{'t' * 43}/cancel?name=Jane")
    captured = capsys.readouterr()
    (line,) = lines_of(captured)
    assert line.pop("milliseconds") >= 0
    assert line.pop("request") == page.response.headers["X-Request-ID"]
    assert line == {
        "time": "2026-11-18T15:00:00.000+00:00",
        "level": "info",
        "logger": "portal.core.logs",
        "message": "answered",
        "endpoint": "visit.choose_cancel",
        "method": "GET",
        "status": 404,
        "actor": "visitor",
    }


def test_staff_are_named_by_their_number(production, capsys):
    with production.app_context():
        password = add_staff("desk@clinic.example", "Dee", StaffRole.FRONT_DESK)
    person = Person(production)
    person.sign_in("desk@clinic.example", password)
    capsys.readouterr()
    person.open("/desk/find")
    assert [line["actor"] for line in lines_of(capsys.readouterr())] == ["staff:1"]


def test_a_method_that_nobody_knows_is_not_repeated(production, capsys):
    production.test_client().open("/privacy", method="CANARY", base_url=ADDRESS)
    assert lines_of(capsys.readouterr())[0]["method"] == "other"


@pytest.mark.parametrize(
    ("proxies", "given", "taken"),
    [
        (1, "4bf92f3577b34da6a3ce929d0e0e4736", True),
        (1, "123e4567-e89b-12d3-a456-426614174000", True),
        (0, "4bf92f3577b34da6a3ce929d0e0e4736", False),
        (1, "jane@example.com", False),
        (1, "2125550199", False),
        (1, "4bf92f3577b34da6a3ce929d0e0e4736" * 4, False),
        (1, '4bf92f3577b34da6"}\\n{', False),
    ],
)
def test_a_request_keeps_the_id_that_a_trusted_proxy_gave_it(settings, clock, proxies, given, taken):
    app = create_app(make_settings(settings.data_dir, trusted_proxies=proxies, database_url=settings.database))
    headers = {"X-Request-ID": given, "X-Forwarded-Host": "127.0.0.1:8000"}
    answer = app.test_client().get("/privacy", headers=headers).headers["X-Request-ID"]
    assert (answer == given) is taken
    assert re.fullmatch(r"[0-9a-f-]{32,36}", answer)


def test_an_error_page_says_a_code_that_leads_to_its_line(production, capsys, monkeypatch):
    monkeypatch.setitem(production.view_functions, "home.show_privacy", lambda: {}[NAME])
    page = Person(production).open("/privacy")
    code = re.search(r"Code 500, ([0-9A-F]{8})\.", page.text)[1]
    fault, answered = lines_of(capsys.readouterr())
    assert fault["request"].upper().startswith(code)
    assert answered["request"] == fault["request"]
    assert (fault["level"], fault["endpoint"]) == ("error", "home.show_privacy")
    assert fault["errors"][0]["type"] == "builtins.KeyError"
    assert "test_logs.py" in fault["errors"][0]["at"][-1]


def test_of_what_libraries_say_only_the_pattern_the_numbers_and_signals_are_kept():
    def say(name, message, *values):
        return json.loads(JsonLines().format(logging.LogRecord(name, 30, "lib.py", 7, message, values, None)))[
            "message"
        ]

    assert say("gunicorn.error", "Error handling request %s", f"/visit/{NAME}") == "Error handling request …"
    assert say("gunicorn.error", "Worker (pid:%s) exited with code %d", 12, 1) == "Worker (pid:12) exited with code 1"
    assert say("gunicorn.error", "Worker (pid:%s) was sent %s!", 12, "SIGKILL") == "Worker (pid:12) was sent SIGKILL!"
    assert say("gunicorn.error", "Worker (pid:%s) was sent %s!", 12, "SIGNED") == "Worker (pid:12) was sent …!"
    assert say("gunicorn.error", f"Invalid request from ip=203.0.113.66: {NAME}") == "said at lib.py:7"
    assert say("portal.notifications.services", "mail %s was taken over", 9) == "mail 9 was taken over"


def test_a_process_that_ends_by_an_error_says_where_and_no_more(production, capsys):
    try:
        raise ValueError(NAME)
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)
    (line,) = lines_of(capsys.readouterr())
    assert (line["level"], line["errors"][0]["type"]) == ("critical", "builtins.ValueError")
    assert NAME not in json.dumps(line)


def test_in_development_a_line_is_for_reading(app, capsys):
    create_app(app.config["PORTAL"])
    app.test_client().get("/privacy")
    assert re.search(
        r"INFO +portal\.core\.logs  answered endpoint=home.show_privacy method=GET", capsys.readouterr().err
    )


def test_nothing_is_said_twice_however_many_portals_a_process_makes(settings, clock):
    for _ in range(3):
        create_app(settings)
    assert sum(isinstance(handler, StandardError) for handler in logging.getLogger().handlers) == 1


class TestARunWithCanaries:
    """Everything that a clinic's portal does in a day, for people with unmistakable names; then all is searched."""

    def run(self, app, monkeypatch, pages):
        person = Person(app)
        person.open(f"/search?q={quote(WORD)}")
        person.open("/r/leaflet", headers={"User-Agent": "canary-agent"})
        person.finish(**NECK)
        page = person.book(name=NAME, email=EMAIL, phone=PHONE, date_of_birth=BIRTH, note=NOTE)
        assert page.outcome == "booked"
        with app.app_context():
            appointment = db.session.scalar(db.select(Appointment))
            token, number = appointment.token, appointment.id
        yield token
        person.open(f"/visit/{token}")
        person.open(f"/visit/{token}/nothing/{quote(NAME)}")
        person.open(f"/visit/{token}/earlier")
        person.send()
        asks = Person(app)
        asks.open("/request/call-back")
        asks.send(name=NAME, phone=PHONE, date_of_birth=BIRTH, note=NOTE)
        with app.app_context():
            password = add_staff("canary@clinic.example", NAME, StaffRole.FRONT_DESK)
        desk = Person(app)
        desk.sign_in("canary@clinic.example", "canary-password")
        desk.sign_in("canary@clinic.example", password)
        desk.open("/desk/find")
        desk.send(q=NAME)
        desk.open(f"/desk/visit/{number}")
        with app.app_context():
            send_due_mail()  # whose server does not answer
        with monkeypatch.context() as patch, app.app_context():
            patch.setattr("portal.notifications.services.write_letter", lambda *_: 1 / len({}[f"{NAME} {token}"]))
            db.session.execute(text("UPDATE outgoing_mail SET not_before = '2026-01-01', state = 'queued'"))
            db.session.commit()
            send_due_mail()  # whose letters cannot be written
        self.break_pages(app, monkeypatch, person, token, pages)

    def break_pages(self, app, monkeypatch, person, token, pages):
        def break_down():
            raise RuntimeError(f"{NAME} {EMAIL} {token} {request.url}")

        def break_the_database():
            db.session.execute(text("INSERT INTO nowhere VALUES (:name)"), {"name": NAME})

        for failing in (break_down, break_the_database):
            with monkeypatch.context() as patch:
                patch.setitem(app.view_functions, "home.show_privacy", failing)
                pages.append(person.open(f"/privacy?name={quote(NAME)}").text)
        for path in (f"/nowhere/{quote(NAME)}", f"/visit/{token}x"):
            pages.append(person.open(path).text)
        person.open(f"/desk/day/{quote(NAME)}")
        pages.append(person.open("/readyz").text)
        pages.append(person.client.post("/book/", base_url="https://evil.example", data={"name": NAME}).text)

    def test_leaves_nothing_of_them_in_any_line_or_error_page(self, production, monkeypatch, capsys):
        pages = []
        (token,) = self.run(production, monkeypatch, pages)
        captured = capsys.readouterr()
        said = captured.out + captured.err
        lines = lines_of(captured)
        assert len(lines) > 60
        assert {line["level"] for line in lines} == {"info", "error"}
        assert len(lines) == len(said.strip().splitlines())
        for canary in (*CANARIES, token):
            assert canary.lower() not in said.lower(), canary
            for page in pages:
                assert canary.lower() not in page.lower(), canary

    def test_would_be_found_if_anything_did(self, production, capsys):
        logging.getLogger("portal.somewhere").warning("a mail to %s was refused", EMAIL)
        assert "canarymail" in capsys.readouterr().err


def test_a_web_process_says_nothing_of_the_nonsense_it_is_asked(settings):
    port = servers.free_port()
    environment = {**os.environ, **settings_environment(settings), "PORTAL_ENV": "production", "PORTAL_SMTP_URL":
                   "smtp://127.0.0.1", "PORTAL_BASE_URL": f"http://localhost:{port}"}  # fmt: skip
    command = [
        "gunicorn",
        "--bind",
        f"127.0.0.1:{port}",
        "--worker-class",
        "gthread",
        "--no-control-socket",
        "wsgi:app",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", *command], cwd=servers.ROOT, env=environment, stderr=subprocess.PIPE, text=True
    ) as process:
        servers.wait_for(f"http://localhost:{port}/healthz", lambda: process.poll() is None)
        for line in ("GET /visit/canary-token BROKEN", "canary", f"GET /{NAME} HTTP/1.1\r\nHost: a\r\nHost : b"):
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(f"{line}\r\n\r\n".encode())
                assert b" 400 " in connection.recv(4096)
        process.terminate()
        said = process.stderr.read()
    assert "canary" not in said.lower()
    assert said.count('"logger": "gunicorn.error"') >= 3


def test_outside_a_request_there_is_no_id(app):
    with app.test_request_context("/privacy"):
        assert request_id() == request_id()
