"""The doctor says what is wrong and what to do, with a status that a timer can act on."""

from datetime import UTC, timedelta

import pytest
import time_machine
from sqlalchemy import text

from portal.accounts.services import StaffRole, add_account, add_staff, disable_staff
from portal.core import clock as portal_clock
from portal.core.db import db
from portal.notifications.services import send_due_mail
from portal.notifications.transport import MailServer
from portal.operations import doctor as doctor_module
from portal.operations import notes
from portal.operations.health import State


@pytest.fixture
def examine(app):
    """What the doctor finds: each check by its name."""

    def examine(**settings):
        own = app.config["PORTAL"]
        app.config["PORTAL"] = own.model_copy(update=settings)
        with app.app_context():
            found = {check.name: check for check in doctor_module.examine()}
            db.session.rollback()
        app.config["PORTAL"] = own
        return found

    return examine


@pytest.mark.both_engines
def test_nothing_fails_in_a_new_portal_in_development(run):
    said = run("doctor")[1].splitlines()
    assert len(said) > 10
    assert [line for line in said if line.startswith("FAIL") and "clock" not in line] == []  # which stands still here


def test_it_names_a_missing_worker_which_a_clinic_must_not_run_without(app, examine, clock):
    assert examine()["worker"].state is State.WARN
    assert examine(env="production")["worker"].state is State.FAIL
    with app.app_context():
        notes.note(notes.WORKER)
    assert examine(env="production")["worker"].state is State.OK
    clock.shift(600)
    assert examine(env="production")["worker"].text == "not seen for 10 minutes: no mail leaves"


@pytest.mark.both_engines
def test_it_names_a_database_that_would_take_two_visits_at_one_time(app, examine):
    assert examine()["diary"].state is State.OK
    with app.app_context():
        guards = (
            ["ALTER TABLE slot DROP CONSTRAINT ex_slot_no_overlap"]
            if db.engine.dialect.name == "postgresql"
            else ["DROP TRIGGER slot_no_overlap_insert", "DROP TRIGGER slot_no_overlap_update"]
        )
        for statement in guards:
            db.session.execute(text(statement))
        db.session.commit()
    assert examine()["diary"].state is State.FAIL


def test_it_names_that_nobody_can_sign_in(app, examine):
    def found():
        return examine(env="production")["staff"].state

    with app.app_context():
        add_account("invited@clinic.example", "Not Yet", StaffRole.MANAGER)
        assert found() is State.FAIL
        add_staff("desk@clinic.example", "At the Desk", StaffRole.FRONT_DESK)
        assert found() is State.OK
        disable_staff("desk@clinic.example")
        assert found() is State.FAIL


def test_it_names_a_backup_that_is_too_old(backup, examine, clock):
    assert examine(env="production")["backup"].state is State.FAIL
    backup()
    clock.shift(3600)
    assert examine(env="production")["backup"].state is State.OK
    clock.shift(40 * 3600)
    assert examine(env="production")["backup"].state is State.WARN


@pytest.mark.both_engines
def test_it_names_mail_that_nobody_got(run, book, app, mail_server):
    book()
    mail_server.answers["rcpt"] = "550 no such user"
    with app.app_context():
        send_due_mail()
    status, said = run("doctor")
    assert status == 1
    assert "FAIL mail for the desk: 1 did not arrive; see /desk/mail/" in said


@pytest.mark.both_engines
def test_it_names_an_older_schema(app, run):
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '0011'"))
        db.session.commit()
    status, said = run("doctor")
    assert status == 1
    assert "run `flask db upgrade`" in said


@pytest.mark.both_engines
def test_a_schema_newer_than_the_code_is_no_failure(app, visitor):
    with app.app_context():
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.commit()
    page = visitor.open("/readyz")
    assert page.status == 200
    assert "warn migrations: at 9999, newer than this code" in page.text


@pytest.mark.parametrize(("days", "state"), [(90, State.OK), (5, State.WARN)], ids=["good for long", "to be renewed"])
def test_it_tells_how_long_the_mail_servers_certificate_is_good(examine, monkeypatch, days, state):
    ends = portal_clock.now() + timedelta(days=days, hours=1)
    monkeypatch.setattr(doctor_module, "meet_server", lambda url: MailServer(True, ends))
    check = examine(smtp_url="smtps://mail.example")["mail server"]
    assert check.state is state
    assert f"good for {days} days" in check.text


def test_it_meets_the_mail_server_for_real(examine, mail_server, app):
    assert examine()["mail server"].text == "it answers, unencrypted"
    assert examine(smtp_url="smtp://127.0.0.1:1")["mail server"].state is State.FAIL


@pytest.mark.both_engines
def test_it_names_values_that_no_key_opens(visitor, examine, app, settings):
    from portal import create_app

    visitor.finish(red_flags_now="none")
    assert examine()["encryption"].state is State.OK
    with create_app(settings.model_copy(update={"encryption_keys": ("n" * 40,)})).app_context():
        found = {check.name: check for check in doctor_module.examine()}["encryption"]
        db.session.remove()
        db.engine.dispose()
    assert found.state is State.FAIL
    assert "assessment.answers" in found.text


def test_it_names_a_clock_that_runs_wrong(app, examine, clock, book):
    book()
    now = time_machine.escape_hatch.datetime.datetime.now(UTC)
    clock.move_to(now)
    assert examine()["clock"].state is State.OK
    clock.move_to(now - timedelta(days=3000))
    assert examine()["clock"].state is State.FAIL


def test_it_names_secrets_that_can_be_guessed_or_serve_twice(examine):
    assert "PORTAL_SECRET_KEY can be guessed" in examine(secret_key="a" * 40)["secrets"].text
    same = "one-and-the-same-key-for-two-purposes-1"
    assert examine(secret_key=same, encryption_keys=(same,))["secrets"].text == "one serves for two purposes"


def test_it_names_secrets_that_others_may_read(examine, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "secrets.json").touch(mode=0o644)
    assert "others on this machine may read" in examine(data_dir=folder)["files"].text
    folder.chmod(0o700)
    assert examine(data_dir=folder)["files"].state is State.OK


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1:1", "port 1 failed: Connection refused"), ("nowhere.invalid", "nowhere.invalid")],
    ids=["nobody listens", "no such host"],
)
def test_it_says_why_the_database_is_away_and_goes_on(settings, address, said):
    from portal import create_app

    away = settings.model_copy(update={"database_url": f"postgresql+psycopg://portal:canary-password@{address}/portal"})
    app = create_app(away)
    with app.app_context():
        found = {check.name: check for check in doctor_module.examine()}
    assert found["database"].state is State.FAIL
    assert said in found["database"].text
    assert "canary-password" not in found["database"].text
    assert found["disk"].state is not State.FAIL
    assert app.test_client().get("/readyz").text.startswith("FAIL database: it does not answer (OperationalError);")


def test_it_says_that_the_database_named_is_not_there(settings, postgresql):
    from portal import create_app

    away = settings.model_copy(update={"database_url": postgresql.url("nowhere")})
    with create_app(away).app_context():
        (found,) = (check for check in doctor_module.examine() if check.name == "database")
    assert 'database "nowhere" does not exist' in found.text
