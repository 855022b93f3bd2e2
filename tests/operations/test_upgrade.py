"""An upgrade stops nothing: the tables change first, and the old code goes on with them while the new one starts.

So a migration only adds. What nobody uses any more goes in a later release, when no old code is left.
"""

from __future__ import annotations

import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
from flask_migrate import downgrade, upgrade
from sqlalchemy import Inspector, inspect, text

from portal.booking.models import Appointment, Status
from portal.core.db import db
from tests.conftest import portal_by_the_real_clock, settings_environment, some_of
from tests.races.crowd import Post, find_free, look, prepare_people, send
from tests.servers import ROOT, run_command, web_server

# The release that clinics run now, and what its tables stand at; both are raised with the next one.
RELEASED, RELEASED_SCHEMA = "8914d4f", "0011"

IN_PRODUCTION = {
    "PORTAL_ENV": "production",
    "PORTAL_BASE_URL": "https://portal.example",
    "PORTAL_SMTP_URL": "smtp://mail.example",
}

pytestmark = pytest.mark.both_engines


def find_hindrances(before: dict, after: dict) -> list[str]:
    """What in the new tables would stop code that was written for the old ones."""
    found = [f"table {table} is gone" for table in before.keys() - after.keys()]
    for table in before.keys() & after.keys():
        old, new = before[table], after[table]
        for name, column in old["columns"].items():
            if name not in new["columns"]:
                found.append(f"{table}.{name} is gone")
            elif not takes_as_much(new["columns"][name]["type"], column["type"]):
                found.append(f"{table}.{name} has become {new['columns'][name]['type']}")
            elif column["nullable"] and not new["columns"][name]["nullable"]:
                found.append(f"{table}.{name} may no longer be empty")
        for name in new["columns"].keys() - old["columns"].keys():
            if not new["columns"][name]["nullable"] and new["columns"][name]["default"] is None:
                found.append(f"{table}.{name} is new, must be filled in, and has no default on the server")
        # A rule about columns that old code never fills is no hindrance.
        rules = {rule for rule in new["rules"] if rule[0] == "check" or set(rule[1:]) <= old["columns"].keys()}
        found += [f"{table}: {rule} is new" for rule in rules - old["rules"]]
    return sorted(found)


def takes_as_much(new: str, old: str) -> bool:
    """Whether a column takes what it took before; text may become longer."""
    return new == old or (new == "TEXT" and old.startswith("VARCHAR"))


def describe(inspector: Inspector) -> dict:
    """The tables with all that an INSERT or UPDATE of theirs can stumble over."""
    return {table: _describe_table(inspector, table) for table in inspector.get_table_names()}


def _describe_table(inspector: Inspector, table: str) -> dict:
    columns = inspector.get_columns(table)
    unique = [("unique", *index["column_names"]) for index in inspector.get_indexes(table) if index["unique"]]
    unique += [("unique", *rule["column_names"]) for rule in inspector.get_unique_constraints(table)]
    checks = [("check", rule["name"]) for rule in inspector.get_check_constraints(table)]
    keys = [("key", *rule["constrained_columns"]) for rule in inspector.get_foreign_keys(table)]
    return {
        "columns": {
            column["name"]: {
                "type": str(column["type"]),
                "nullable": column["nullable"],
                "default": column["default"] or ("own number" if column.get("autoincrement") is True else None),
            }
            for column in columns
        },
        "rules": {*unique, *checks, *keys},
    }


def test_migrations_since_the_release_only_add(app_context):
    downgrade(revision=RELEASED_SCHEMA)
    with db.engine.connect() as connection:
        before = describe(inspect(connection))
    upgrade()
    with db.engine.connect() as connection:
        after = describe(inspect(connection))
    assert find_hindrances(before, after) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"columns": {}, "rules": set()}, "visit.note is gone"),
        ({"columns": {"note": {"type": "INTEGER", "nullable": True, "default": None}}, "rules": set()}, "INTEGER"),
        ({"columns": {"note": {"type": "TEXT", "nullable": False, "default": None}}, "rules": set()}, "be empty"),
        (
            {"columns": {"note": {"type": "TEXT", "nullable": True, "default": None}}, "rules": {("unique", "note")}},
            "new",
        ),
    ],
)
def test_the_rule_finds_what_would_stop_old_code(change, said):
    before = {"visit": {"columns": {"note": {"type": "TEXT", "nullable": True, "default": None}}, "rules": set()}}
    assert said in find_hindrances(before, {"visit": change})[0]


@pytest.fixture
def old_code(tmp_path) -> Path:
    """The released portal's files."""
    archive = subprocess.run(["git", "archive", RELEASED], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip(f"the history back to the release {RELEASED} is not here")
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(tmp_path / "old", filter="data")
    (tmp_path / "old" / "static" / "vendor").symlink_to((ROOT / "static" / "vendor").resolve())
    return tmp_path / "old"


@pytest.mark.parametrize("engine", some_of(["sqlite", "postgresql"], "postgresql"), indirect=True)
def test_old_and_new_code_serve_one_diary_side_by_side(settings, old_code):
    with portal_by_the_real_clock(settings) as app:
        by_old, by_new = prepare_people(app, 2)
        slots = find_free(4)
        db.session.remove()
        environment = settings_environment(settings)
        with web_server(known_to(old_code, environment), code=old_code) as old, web_server(environment) as new:
            assert live(by_old, old, slots[0], slots[1]) == Status.CANCELLED
            assert live(by_new, new, slots[2], slots[3]) == Status.CANCELLED


def test_the_way_back_to_old_code_finds_the_newer_tables_right(settings):
    with portal_by_the_real_clock(settings):
        db.session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        db.session.commit()
        db.engine.dispose()
    environment = settings_environment(settings) | IN_PRODUCTION
    done = run_command("db", "upgrade", environment=environment)
    assert (done.returncode, done.stdout) == (
        0,
        "The tables are at 9999, newer than this code, which goes on with them.\n",
    )
    refused = run_command("db", "downgrade", environment=environment)
    assert refused.returncode == 1
    assert "Can't locate revision identified by '9999'" in refused.stderr


def known_to(code: Path, environment: dict[str, str]) -> dict[str, str]:
    """The settings that this code has; it refuses to start with others."""
    settings = (code / "portal" / "config.py").read_text()
    return {name: value for name, value in environment.items() if f" {name[7:].lower()}: " in settings}


def live(person, here, slot_id, other_id):
    """Book, move and cancel with one code; the visit's status then.

    Each keeps its own people: the release before encryption cannot read what the new code writes of somebody, so
    docs/operations.md has its processes stopped before the new ones start.
    """
    assert send(here, person.booking_of(slot_id)).outcome == "booked"
    page = look(here, "/book/confirmed", person.cookie)
    visit, token = f"/visit/{page.reference}", {"csrf_token": person.csrf_token}
    assert look(here, visit, page.cookie or person.cookie).status == 200
    cookie = page.cookie or person.cookie
    moved = send(here, Post(f"{visit}/move", cookie, {**token, "slot": other_id})).outcome
    assert moved in {"200 moved", f"sent to {visit}"}  # the release before answers with the page itself
    cancel = Post(f"{visit}/cancel", cookie, {**token, "choice": "better", "confirmed": "yes"})
    assert send(here, cancel).outcome == f"sent to {visit}"
    assert look(here, visit, cookie).outcome == "200 cancelled"
    db.session.rollback()  # sees the present
    return db.session.query(Appointment.status).filter_by(reference=page.reference).scalar()
