"""Fixtures: a portal with its own database, on SQLite and on PostgreSQL, and people who use it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import event
from sqlalchemy.engine import Engine

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.config import Settings
from portal.core.db import db
from portal.scheduling.clinic_file import read_clinic_file
from portal.scheduling.contact import Contact
from portal.scheduling.remake import open_slots
from portal.scheduling.setup import load_clinic
from tests import servers
from tests.beginnings import Beginning, clear_away
from tests.sharing import Sharing, rank
from tests.visitor import Visitor

ROOT = Path(__file__).parent.parent
CLINIC = Path(__file__).parent / "clinic.toml"
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(servers.QUICK))
# A Wednesday, 10 in the morning in New York; the clinic of the tests has times free from the same day on.
NOW = "2026-11-18T15:00:00Z"
SECRETS = {
    "secret_key": "test-secret-key-long-enough-to-start",
    "encryption_keys": ("first-test-key-long-enough-to-start",),
}


def skip_or_fail(reason: str) -> None:
    """A missing program skips a test on a newcomer's machine and fails it where everything is required."""
    if servers.REQUIRE_ALL:
        pytest.fail(reason)
    pytest.skip(reason)


def some_of(everything: Collection[Any], *shown: Any) -> Collection[Any]:
    """Of cases that one piece of code treats alike, those that stand for all; `make proof` has all of them."""
    assert set(shown) <= set(everything)
    return everything if servers.PROOF else shown


def make_settings(folder: Path, **values: object) -> Settings:
    """Settings for a test, with the limits of a clinic."""
    return Settings(data_dir=folder, **{**SECRETS, "limits_times": 1, **values})


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings as the variables that a process of its own reads them from."""
    return {
        "PORTAL_DATA_DIR": str(settings.data_dir),
        "PORTAL_DATABASE_URL": settings.database,
        "PORTAL_SECRET_KEY": settings.secret_key,
        "PORTAL_ENCRYPTION_KEYS": ",".join(settings.encryption_keys),
        "PORTAL_SMTP_URL": settings.smtp_url,
        "PORTAL_LIMITS_TIMES": str(settings.limits_times),
    }


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgresServer]:
    programs = servers.find_postgresql()
    if programs is None:
        skip_or_fail("PostgreSQL is not installed: `apt-get install postgresql`, or set PG_BINDIR")
    server = servers.PostgresServer(programs)
    server.start()
    yield server
    server.stop()


def build_template(settings: Settings) -> None:
    """A migrated database with the tests' clinic and its slots, to be copied for each test."""
    app = create_app(settings)
    with time_machine.travel(NOW, tick=False), app.app_context():
        upgrade()
        load_clinic(read_clinic_file(CLINIC))
        open_slots()
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    build_template(make_settings(folder))
    return folder / "portal.db"


@pytest.fixture(scope="session")
def postgresql_template(postgresql: servers.PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    name = postgresql.create_database()
    build_template(make_settings(tmp_path_factory.mktemp("template"), database_url=postgresql.url(name)))
    return name


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run on PostgreSQL the modules whose promise rests on the database; `make proof` runs the others there too."""
    items.sort(key=lambda item: rank(item.nodeid))
    if servers.PROOF:
        return
    elsewhere = {
        item for item in items if _engine_of(item) == "postgresql" and not item.get_closest_marker("both_engines")
    }
    config.hook.pytest_deselected(items=list(elsewhere))
    items[:] = [item for item in items if item not in elsewhere]


@event.listens_for(Engine, "connect")
def _leave_out_what_only_matters_after_a_crash(connection: object, _record: object) -> None:
    """In the tests' own process, as on their PostgreSQL; the processes that they start leave nothing out."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


def _engine_of(item: pytest.Item) -> str | None:
    return item.callspec.params.get("engine") if hasattr(item, "callspec") else None


@pytest.fixture(autouse=True)
def _close_connections() -> Iterator[None]:
    """Also those of portals that a test has made itself: left to the garbage collector they fail another test."""
    yield
    for engines in list(db._app_engines.values()):
        for engine in engines.values():
            engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> str:
    """What a test with a portal runs on: SQLite, and PostgreSQL where the module is marked `both_engines`."""
    name: str = request.param
    return name


@pytest.fixture
def settings(request: pytest.FixtureRequest, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a portal whose database is as new for each test."""
    folder = tmp_path_factory.getbasetemp() / engine
    folder.mkdir(exist_ok=True)
    clear_away(folder)
    if engine == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), folder / "portal.db")
        return make_settings(folder)
    server: servers.PostgresServer = request.getfixturevalue("postgresql")
    server.renew_database("of_a_test", template=request.getfixturevalue("postgresql_template"))
    return make_settings(folder, database_url=server.url("of_a_test"))


@pytest.fixture
def clock() -> Iterator[time_machine.Coordinates]:
    """The clock of the test, standing still until it is moved."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@cache
def portal_with(settings: Settings) -> Flask:
    """Making a portal takes longer than most tests; its database is what each test has for itself."""
    return with_quick_hashes(create_app(settings))


@contextmanager
def portal_by_the_real_clock(settings: Settings) -> Iterator[Flask]:
    """The tests' clinic with its diary open from now on, for processes of their own cannot share a stopped clock."""
    app = create_app(settings)
    with app.app_context():
        open_slots()
        yield app
        db.session.remove()
        db.engine.dispose()


def with_quick_hashes(app: Flask) -> Flask:
    """Hashing a password is slow on purpose; here it is not, as most tests of the desk begin with signing in."""
    app.extensions["security"].pwd_context.update(argon2__rounds=1, argon2__memory_cost=8, argon2__parallelism=1)
    return app


@pytest.fixture
def app(settings: Settings, clock: time_machine.Coordinates) -> Iterator[Flask]:
    """A portal with the tests' clinic."""
    app = portal_with(settings)
    as_made = dict(app.config)
    app.extensions.update({"portal.contact": Contact(), "portal.away_until": 0.0})
    yield app
    app.config.clear()
    app.config.update(as_made)


BEGINNINGS: dict[tuple[str, str], Beginning] = {}


@pytest.fixture
def once(
    request: pytest.FixtureRequest, app: Flask, engine: str, clock: time_machine.Coordinates
) -> Callable[..., Any]:
    """What takes long to arrange is arranged once for each database, and copied for every other test."""

    def once(name: str, arrange: Callable[[], Any], *people: Visitor) -> Any:
        """What `arrange` returns, with the database, the clock and these people's browsers as it left them."""
        server = request.getfixturevalue("postgresql") if engine == "postgresql" else None
        if (name, engine) not in BEGINNINGS:
            result = arrange()
            BEGINNINGS[name, engine] = Beginning.keep(name, app, server, people, result)
            return result
        beginning = BEGINNINGS[name, engine]
        beginning.restore(app, server, people)
        clock.move_to(beginning.moment, tick=False)
        return beginning.result

    return once


@pytest.fixture
def town(app: Flask) -> None:
    """One address and one mailbox stand for those of a whole town: what is limited is not reached."""
    app.config["PORTAL"] = app.config["PORTAL"].model_copy(update={"limits_times": 1000})


@pytest.fixture
def app_context(app: Flask) -> Iterator[None]:
    """For tests of services and queries, which run outside any request."""
    with app.app_context():
        yield


@pytest.fixture
def visitor(app: Flask) -> Visitor:
    """Somebody with a browser without JavaScript."""
    return Visitor(app)


@pytest.fixture
def staff(app: Flask) -> Callable[[StaffRole], Visitor]:
    """Sign somebody in with a role."""

    def sign_in(role: StaffRole) -> Visitor:
        email = f"{role.value}@clinic.example"
        with app.app_context():
            password = add_staff(email, f"Test {role.value}", role)
        person = Visitor(app)
        person.be_signed_in(email, password)
        return person

    return sign_in


@pytest.fixture
def desk(staff: Callable[[StaffRole], Visitor]) -> Visitor:
    """Somebody at the front desk, signed in."""
    return staff(StaffRole.FRONT_DESK)


@pytest.fixture
def mail_server(app: Flask) -> Iterator[servers.Mailbox]:
    """A real SMTP server that the portal sends to."""
    with servers.smtp_server() as (url, mailbox):
        app.config["PORTAL"] = app.config["PORTAL"].model_copy(update={"smtp_url": url})
        yield mailbox


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, object]) -> dict[str, object]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        skip_or_fail("Chromium is not installed: `apt-get install chromium`, or set CHROMIUM")
    few_processes = ["--disable-gpu", "--in-process-gpu", "--process-per-site", "--renderer-process-limit=1"]
    return {**browser_type_launch_args, "executable_path": chromium, "args": few_processes}
