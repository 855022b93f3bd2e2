"""What was found in systems like this one, and is not found here; the list is docs/security/known-weaknesses.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from sqlalchemy import func, select

from portal.accounts.models import User
from portal.core.db import db
from portal.scheduling.models import Slot, SlotState
from tests.visitor import Visitor

PORTAL = Path(__file__).resolve().parents[2] / "portal"
FETCHES = {"urllib.request", "urllib3", "requests", "httpx", "aiohttp", "http.client", "ftplib", "xmlrpc", "telnetlib"}
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


@pytest.mark.parametrize("part", ["", "/move", "/cancel", "/earlier", "/brief", "/calendar.ics"])
def test_the_source_of_a_links_page_holds_nothing_of_the_patient_but_what_it_shows(world, part):
    text = Visitor(world.app).open(f"/visit/{world.links['A']}{part}").text
    ids = [str(world.own[name]) for name in ("patient_id", "assessment_id")]
    for value in ("Patient B", "212 555 0191", "5550191", "555-0191", "a@example.com", "neck", "side", *ids):
        assert value not in text
    assert part == "/brief" or "1980" not in text  # there it is the example of how a date is typed


def test_the_portal_fetches_no_address_that_anybody_names():
    for file in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            if isinstance(node, ast.ImportFrom):
                names = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            assert not names & FETCHES, file


def test_nor_does_it_run_text_as_code_or_commands_through_a_shell():
    for file in PORTAL.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in {"eval", "exec", "os.system", "os.popen", "pickle.loads", "yaml.load"}, file
                assert not any(keyword.arg == "shell" for keyword in node.keywords), file


def test_what_loses_to_a_colleagues_change_is_shown_as_text(world):
    desk, visit = world.people["front desk"], world.own["appointment_id"]
    desk.open(f"/desk/visit/{visit}")
    token = desk.page.form.values["csrf_token"]
    values = {"csrf_token": token, "version": "1", "reason": "patient", "words": MARKUP}
    page = desk.post(f"/desk/visit/{visit}/cancel", values)
    assert page.status in {409, 422}
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert "<img src=x" not in page.text


def test_what_staff_write_is_shown_as_text_to_patients_and_colleagues(world):
    manager = world.people["manager"]
    page = manager.open("/desk/setup/clinicians/ada")
    form = next(form for form in page.forms if form.action.endswith("/ada"))
    manager.send(form, name=f"Ada {MARKUP}"[:80])
    note = world.people["front desk"]
    note.open(f"/desk/visit/{world.own['appointment_id']}")
    note.send(next(form for form in note.page.forms if form.action.endswith("/note")), words=MARKUP)
    seen = [world.people["front desk"].open(f"/desk/visit/{world.own['appointment_id']}").text]
    seen += [Visitor(world.app).open(path).text for path in ("/specialists/", f"/visit/{world.links['A']}")]
    for text in seen:
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)" in seen[0]


def test_an_invitation_to_an_address_that_has_an_account_changes_nothing_of_it(world):
    before = world.dump()["staff_user"]
    manager = world.people["manager"]
    manager.open("/desk/staff")
    for email in ("front-desk@clinic.example", "FRONT-DESK@clinic.example", "disabled@clinic.example"):
        form = next(form for form in manager.page.forms if form.action == "/desk/staff")
        assert manager.send(form, name="Somebody", email=email, role="manager").status == 422
    assert world.dump()["staff_user"] == before
    with world.app.app_context():
        assert (
            db.session.scalar(select(func.count()).select_from(User).where(User.email == "front-desk@clinic.example"))
            == 1
        )


def test_a_hold_is_given_back_only_by_the_browser_that_has_it(world):
    holder, other = Visitor(world.app), Visitor(world.app)
    holder.pass_safety()
    holder.hold()
    with world.app.app_context():
        held = db.session.scalars(
            select(Slot).where(Slot.state == SlotState.HELD).order_by(Slot.held_until.desc())
        ).first()
        slot, until = held.id, held.held_until
    other.pass_safety()
    other.hold()
    token = other.page.form.values["csrf_token"]
    for path in ("/book/", "/book/renew", "/book/check", "/book/details"):
        other.post(path, {"csrf_token": token, "slot": str(slot), "release": "1", "keep": "1", "key": "x"})
    with world.app.app_context():
        kept = db.session.get(Slot, slot)
        assert (kept.state, kept.held_until) == (SlotState.HELD, until)
    assert holder.fill_in().path == "/book/check"


@pytest.mark.parametrize(
    ("actor", "path"),
    [
        ("manager", "/desk/export.csv?from=2026-11-18&until=2026-11-30&name=../../x%0d%0aSet-Cookie:%20a=b"),
        ("manager", "/desk/referrals/ledger.csv?filename=evil.exe"),
        ("nobody", "/visit/{A}/calendar.ics?filename=evil.exe"),
        ("nobody", "/calendars/{feed}.ics"),
    ],
)
def test_every_download_has_a_name_of_ours(world, actor, path):
    response = world.people[actor].client.get(path.format(**world.links))
    assert response.status_code == 200
    assert re.fullmatch(r'attachment; filename="?[a-z0-9.-]+"?', response.headers["Content-Disposition"])
    assert world.links["feed"] not in response.headers["Content-Disposition"]
