"""What holds for every route, page, template and header."""

import re
from pathlib import Path

import pytest

from portal import create_app
from portal.access import POLICIES, UndeclaredRoute, init_app
from portal.config import Settings
from portal.core.headers import CONTENT_SECURITY_POLICY
from portal.operations.settings_page import write_settings_page
from tests.conftest import make_settings

ROOT = Path(__file__).resolve().parents[2]
PUBLIC = [
    "/",
    "/articles/",
    "/articles/cervicogenic-headache",
    "/treatments/",
    "/specialists/",
    "/privacy",
    "/display",
]
PERSONAL = ["/assessment/", "/book/", "/book/safety", "/desk/sign-in"]


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


def test_the_reference_of_the_settings_is_what_they_say():
    assert (ROOT / "docs" / "settings.md").read_text() == write_settings_page(), "run `make settings`"
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("path", [*PUBLIC, *PERSONAL, "/nowhere", "/static/css/portal.css", "/theme.css"])
def test_every_answer_has_the_strict_headers(visitor, path):
    headers = visitor.open(path).response.headers
    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("path", PERSONAL)
def test_personal_pages_are_kept_by_nobody(visitor, path):
    assert visitor.open(path).response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/articles/", "/articles/cervicogenic-headache", "/treatments/", "/privacy"])
def test_pages_to_read_can_be_shared_by_caches_even_on_a_journey(visitor, path):
    visitor.open("/r/leaflet")
    response = visitor.open(path).response
    assert response.headers["Cache-Control"].startswith("public")
    assert "Cookie" not in response.vary
    assert "Set-Cookie" not in response.headers
    again = visitor.client.get(path, headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


def test_static_files_are_kept_for_a_year_under_an_address_that_changes_with_them(visitor):
    visitor.open("/")
    address = re.search(r'href="(/static/css/portal\.css\?v=\w+)"', visitor.page.text)[1]
    assert "immutable" in visitor.open(address).response.headers["Cache-Control"]


def test_the_style_sheet_stays_under_twenty_kilobytes():
    assert (ROOT / "static" / "css" / "portal.css").stat().st_size < 20_000


def test_a_foreign_host_name_is_refused(visitor):
    response = visitor.client.get("/", base_url="http://evil.example")
    assert response.status_code == 400


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(visitor):
    visitor.open("/assessment/")
    cookie = visitor.page.response.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_in_production_the_cookie_is_bound_to_this_host_over_tls(tmp_path, sqlite_template):
    settings = make_settings(
        tmp_path,
        env="production",
        base_url="https://portal.example",
        smtp_url="smtp://127.0.0.1",
        database_url=f"sqlite:///{sqlite_template}",
    )
    app = create_app(settings)
    response = app.test_client().get("/assessment/", base_url="https://portal.example")
    assert response.headers["Set-Cookie"].startswith("__Host-portal=")
    assert "Secure" in response.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in response.headers
    assert app.test_client().get("/dev/mail/", base_url="https://portal.example").status_code == 404
