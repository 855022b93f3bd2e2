"""What holds for every route, page and template."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from portal import create_app
from portal.access import POLICIES, UndeclaredRoute, init_app
from portal.config import Settings
from portal.operations.settings_page import write_settings_page
from tests.conftest import make_settings, some_of
from tests.core.test_fields import all_forms

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def test_every_route_says_who_may_use_it_and_no_policy_is_left_over(app):
    assert {rule.endpoint for rule in app.url_map.iter_rules()} == POLICIES.keys()


def test_a_route_without_a_policy_stops_the_start(tmp_path):
    app = create_app(make_settings(tmp_path))
    app.add_url_rule("/new", endpoint="new.route", view_func=lambda: "")
    with pytest.raises(UndeclaredRoute, match=r"new\.route"):
        init_app(app)


def test_every_module_of_views_and_forms_is_kept_from_the_database(app):
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    kept = next(contract["source_modules"] for contract in contracts if contract["name"].startswith("Views and forms"))
    modules = {view.__module__ for view in app.view_functions.values()} | {form.__module__ for form in all_forms()}
    ours = {module for module in modules if module.startswith("portal.")}
    assert len(ours) > 40
    assert [module for module in ours if not any(fnmatchcase(module, pattern) for pattern in kept)] == []


def test_addresses_are_kebab_case(app):
    ours = (rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/fhir/"))  # FHIR has its own
    for rule in ours:
        fixed = re.sub(r"<[^>]*>", "", rule.rule)
        assert re.fullmatch(r"[a-z0-9/.-]*", fixed), rule.rule


def test_every_template_parses(app):
    for name in app.jinja_env.list_templates():
        if not name.startswith("security/email") and name.endswith((".html", ".txt")):
            app.jinja_env.get_template(name)


def test_no_template_has_a_script_style_or_handler_of_its_own():
    for file in (ROOT / "templates").rglob("*.html"):
        if "mail" not in file.relative_to(ROOT).parts[1]:
            data = '<script type="application/ld+json">'  # which no browser runs
            text = file.read_text().replace(data, "")
            assert not re.search(r"<style|<script(?![^>]*\bsrc=)|\sstyle=\"|\son[a-z]+=\"", text), file


def test_pages_that_scripts_enhance_load_them():
    enhanced = re.compile(r"\bhx-|data-alone|data-until|data-own-zone|ui\.question\(|live=true")
    for file in (ROOT / "templates").rglob("*.html"):
        page = file.read_text()
        parts = [(ROOT / "templates" / name).read_text() for name in re.findall(r'include "([^"]+)"', page)]
        if '{% extends "base.html" %}' in page and enhanced.search("".join([page, *parts])):
            assert "components/enhanced.html" in page, file


def test_the_reference_of_the_settings_is_what_they_say():
    assert (ROOT / "docs" / "settings.md").read_text() == write_settings_page(), "run `make settings`"
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    "module",
    some_of(["portal.booking.models", "portal.frontdesk.board", "portal.scheduling.queries"], "portal.frontdesk.board"),
)
def test_a_script_may_import_any_part_first(module):
    imported = subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, capture_output=True, text=True)
    assert imported.returncode == 0, imported.stderr


def test_the_style_sheet_stays_under_twenty_kilobytes():
    assert (ROOT / "static" / "css" / "portal.css").stat().st_size < 20_000
