"""One strict policy on every answer: what it may load, who may keep it, whose address it is."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import request

from portal import create_app
from portal.accounts.services import StaffRole, add_staff
from portal.core.headers import ALWAYS, CONTENT_SECURITY_POLICY
from tests import servers
from tests.access.routes import list_addresses
from tests.conftest import make_settings, settings_environment
from tests.visitor import Visitor

PUBLIC = ["/articles/", "/articles/cervicogenic-headache", "/treatments/", "/privacy", "/robots.txt", "/sitemap.xml"]
FRESH = ["/", "/specialists/", "/assessment/", "/assessment/red_flags_now", "/book/safety", "/refer/"]
PERSONAL = [
    *("/book/", "/desk/sign-in", "/desk/", "/display", "/assessment/result", "/visit/x", "/waitlist/x"),
    *("/request/call-back", "/calendars/x.ics", "/fhir/QuestionnaireResponse/x", "/r/nothing", "/nowhere"),
    *("/static/nothing", "/dev/mail/", "/assessment/resume/x", "/desk/welcome/x", "/healthz"),
]
ADDRESS = "https://portal.example"
METHODS = ("GET", "POST", "PUT", "OPTIONS", "TRACE")
HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def production(settings, clock):
    """A portal in production, without a proxy that it trusts."""
    return make_production(settings)


def make_production(settings, **values):
    chosen = {"base_url": ADDRESS, "smtp_url": "smtp://127.0.0.1", "database_url": settings.database, **values}
    return create_app(make_settings(settings.data_dir, env="production", **chosen))


def ask(app, path, **options):
    return app.test_client().get(path, base_url=options.pop("base_url", ADDRESS), **options)


def assert_strict(response):
    for name, value in ALWAYS.items():
        assert response.headers.getlist(name) == [value], (response.request.path, name)
    assert response.headers.getlist("Referrer-Policy") in (["no-referrer"], ["same-origin"])
    assert len(response.headers.getlist("Cache-Control")) == 1
    assert "Server" not in response.headers
    assert "Access-Control-Allow-Origin" not in response.headers


def test_every_route_whatever_it_answers_has_the_whole_policy_exactly_once(app):
    client, seen = app.test_client(), set()
    for address in list_addresses(app):
        for method, headers in (*((method, {}) for method in METHODS), *((method, HTMX) for method in METHODS[:2])):
            with client.open(address, method=method, headers=headers) as response:
                assert_strict(response)
                seen.add(response.status_code)
    assert {200, 302, 303, 400, 401, 404, 405} <= seen


def test_the_policy_lets_nothing_in_from_elsewhere_and_nothing_inline():
    for source in ("unsafe", "http", "*", "data:", "blob:"):
        assert source not in CONTENT_SECURITY_POLICY
    for directive in ("default-src 'none'", "base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
        assert directive in CONTENT_SECURITY_POLICY


def test_an_error_has_it_too(app, monkeypatch):
    app.config["PROPAGATE_EXCEPTIONS"] = False
    monkeypatch.setitem(app.view_functions, "home.show_home", lambda: 1 // 0)
    response = app.test_client().get("/")
    assert response.status_code == 500
    assert_strict(response)
    assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", PERSONAL)
def test_what_is_about_somebody_is_kept_by_nobody_and_listed_nowhere(visitor, path):
    response = visitor.client.get(path)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("path", PUBLIC)
def test_pages_to_read_are_shared_by_caches_and_the_same_with_and_without_a_cookie(app, path):
    person = Visitor(app)
    person.open("/r/leaflet")
    response, other = person.client.get(path), app.test_client().get(path)
    assert response.headers["Cache-Control"].startswith("public")
    assert response.data == other.data
    assert "Cookie" not in response.vary
    assert "Set-Cookie" not in response.headers
    assert "X-Robots-Tag" not in response.headers
    assert person.client.get(path, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", FRESH)
def test_pages_about_nobody_may_be_found_by_search_engines(visitor, path):
    response = visitor.client.get(path)
    assert response.status_code == 200
    assert "X-Robots-Tag" not in response.headers


def test_free_times_may_be_listed_until_the_page_is_about_who_looks(visitor):
    visitor.pass_safety()
    assert "X-Robots-Tag" not in visitor.open("/book/").response.headers
    visitor.hold()
    assert visitor.open("/book/").response.headers["X-Robots-Tag"] == "noindex"
    assert visitor.open("/assessment/red_flags_now").response.headers["X-Robots-Tag"] == "noindex"


def test_whatever_a_cookie_changed_says_so_to_caches(app):
    person = Visitor(app)
    person.open("/r/leaflet")
    person.pass_safety()
    person.open("/display")
    person.send(theme="dim")
    for path in list_addresses(app):
        with person.client.get(path) as mine, app.test_client().get(path) as other:
            bodies = [re.sub(rb'value="[^"]{40,}"|[0-9A-F]{8}\.</p>', b"", answer.data) for answer in (mine, other)]
            if bodies[0] != bodies[1] or "Set-Cookie" in mine.headers:
                kept_by_nobody = mine.headers["Cache-Control"] == "no-store"
                assert kept_by_nobody or "Cookie" in mine.vary, path


def test_static_files_are_kept_for_a_year_under_an_address_that_changes_with_them(visitor):
    visitor.open("/")
    address = re.search(r'href="(/static/css/portal\.css\?v=\w+)"', visitor.page.text)[1]
    assert "immutable" in visitor.open(address).response.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/visit/{}", "/visit/{}/cancel", "/waitlist/{}", "/assessment/resume/{}",
                                  "/desk/welcome/{}", "/calendars/{}.ics", "/visit/{}/no-such-page"])  # fmt: skip
def test_an_address_that_is_a_key_leaves_in_no_referrer(visitor, path):
    response = visitor.client.get(path.format("k" * 43))
    assert response.headers["Referrer-Policy"] == "no-referrer"


def test_no_page_of_the_public_runs_a_script_of_another_origin(visitor):
    for path in (*PUBLIC[:4], *FRESH):
        for address in re.findall(
            r'(?:src|href)="([^"]+)"[^>]*(?:rel="stylesheet"|></script)', visitor.open(path).text
        ):
            assert not urlsplit(address).netloc, path


class TestCookies:
    def every_cookie(self, app, base_url):
        """Each cookie that is ever set: by a visitor on a journey, and by staff signing in and out."""
        person = Visitor(app)
        person.client.environ_base.update({"wsgi.url_scheme": urlsplit(base_url).scheme})
        person.client.environ_base["HTTP_HOST"] = urlsplit(base_url).netloc
        lines = []
        get, post = person.client.get, person.client.post
        lines += get("/r/leaflet", base_url=base_url).headers.getlist("Set-Cookie")
        page = get("/display", base_url=base_url)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page.text)[1]
        lines += page.headers.getlist("Set-Cookie")
        lines += post("/display", base_url=base_url, data={"csrf_token": token, "theme": "dim"},
                      headers={"Referer": f"{base_url}/"}).headers.getlist("Set-Cookie")  # fmt: skip
        with app.app_context():
            password = add_staff("d@clinic.example", "Dee", StaffRole.FRONT_DESK)
        app.config["SECURITY_TWO_FACTOR_REQUIRED"] = False
        answer = post("/desk/sign-in", base_url=base_url, headers={"Referer": f"{base_url}/desk/sign-in"},
                      data={"csrf_token": token, "email": "d@clinic.example", "password": password})  # fmt: skip
        assert answer.status_code in {302, 303}
        return lines + answer.headers.getlist("Set-Cookie")

    def test_in_production_each_is_bound_to_this_host_over_tls(self, production):
        lines = self.every_cookie(production, ADDRESS)
        assert len(lines) >= 4
        for line in lines:
            name, attributes = line.split("=")[0], line.split("; ")
            assert name.startswith("__Host-"), line
            assert {"Secure", "HttpOnly"} <= set(attributes)
            assert "Path=/" in attributes
            assert {"SameSite=Lax", "SameSite=Strict"} & set(attributes)
            assert "Domain" not in line

    def test_in_development_they_are_out_of_reach_of_scripts_and_other_sites(self, app):
        for line in self.every_cookie(app, "http://127.0.0.1:8000"):
            assert "HttpOnly" in line
            assert re.search(r"SameSite=(Lax|Strict)", line)
            assert "Domain" not in line

    def test_signing_out_takes_with_it_what_the_browser_kept(self, desk):
        desk.open("/desk/find")
        form = next(form for form in desk.page.forms if form.action == "/desk/sign-out")
        response = desk.client.post("/desk/sign-out", data=form.values)
        assert response.headers["Clear-Site-Data"] == '"cache", "storage"'
        assert "Clear-Site-Data" not in desk.open("/desk/").response.headers

    def test_so_does_locking_by_hand_or_by_itself(self, desk, clock):
        clock.shift(16 * 60)
        assert "Clear-Site-Data" in desk.client.get("/desk/find").headers


class TestWhoseAddressItIs:
    @pytest.mark.parametrize("host", [
        "evil.example", "portal.example.evil.example", "evil.example:443", "portal.example:8443", "portal.example:80",
        "portal.example@evil.example", "evil.example/portal.example", "portal.example.", "portal.example evil.example",
        "[::1]", "127.0.0.1", "localhost", "portal.example,evil.example", "", "portal.example:", "xn--portal.example",
    ])  # fmt: skip
    def test_another_host_or_port_than_ours_is_refused(self, production, host):
        response = production.test_client().get("/", base_url=ADDRESS, headers={"Host": host})
        assert response.status_code == 400
        assert host not in response.text or not host
        assert "Location" not in response.headers

    def test_our_own_is_served_with_and_without_its_port(self, production):
        for host in ("portal.example", "portal.example:443"):
            assert ask(production, "/privacy", headers={"Host": host}).status_code == 200

    def test_in_production_tls_is_for_good(self, production):
        for path in ("/", "/nowhere", "/static/css/portal.css", "/desk/"):
            with ask(production, path) as response:
                assert response.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"

    def test_what_is_for_development_is_not_there(self, production):
        assert ask(production, "/dev/mail/").status_code == 404

    @pytest.mark.parametrize(
        "header", ["X-Forwarded-Host", "X-Forwarded-Server", "X-Host", "X-Original-Host", "Forwarded"]
    )
    def test_nobody_names_another_host_where_no_proxy_is_trusted(self, production, header):
        response = ask(
            production, "/desk/", headers={header: "host=evil.example" if header == "Forwarded" else "evil.example"}
        )
        assert response.status_code == 302
        assert "evil" not in response.headers["Location"] + response.text

    def test_nor_is_a_path_or_method_taken_from_a_header_or_field(self, production):
        headers = {"X-Original-URL": "/desk/", "X-Rewrite-URL": "/desk/", "X-Forwarded-Prefix": "/desk",
                   "X-HTTP-Method-Override": "DELETE", "X-Method-Override": "POST"}  # fmt: skip
        assert ask(production, "/privacy?_method=POST", headers=headers).data == ask(production, "/privacy").data

    def test_of_a_chain_of_proxies_only_the_trusted_hop_is_believed(self, settings, clock):
        app = make_production(settings, trusted_proxies=1)
        seen = {}
        app.before_request(lambda: seen.update(ip=request.remote_addr))
        chain = {
            "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
            "X-Forwarded-Proto": "https",
            "X-Forwarded-Host": "portal.example",
        }
        assert ask(app, "/privacy", base_url="http://10.0.0.1", headers=chain).status_code == 200
        assert seen == {"ip": "203.0.113.9"}
        wrong = {**chain, "X-Forwarded-Host": "portal.example, evil.example"}
        assert ask(app, "/privacy", base_url="http://10.0.0.1", headers=wrong).status_code == 400

    def test_without_a_trusted_proxy_nobody_says_where_they_come_from(self, production):
        seen = {}
        production.before_request(lambda: seen.update(ip=request.remote_addr))
        ask(production, "/privacy", headers={"X-Forwarded-For": "6.6.6.6", "X-Real-IP": "6.6.6.6"})
        assert seen == {"ip": "127.0.0.1"}


def test_the_web_server_reads_an_absolute_address_as_its_path_and_takes_one_length_only(settings):
    environment = settings_environment(settings)
    with servers.web_server(environment) as address:
        port = urlsplit(address).port

        def say(text: str) -> str:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                connection.sendall(text.replace("\n", "\r\n").encode())
                return connection.recv(65536).decode("latin-1")

        host = f"Host: localhost:{port}\nConnection: close\n"
        assert " 400 " in say("GET /privacy HTTP/1.1\nHost: evil.example\nConnection: close\n\n").splitlines()[0]
        assert "evil" not in say(f"GET http://evil.example/desk/ HTTP/1.1\n{host}\n")
        smuggled = say(f"POST /privacy HTTP/1.1\n{host}Content-Length: 4\nContent-Length: 5\n\nabcde")
        assert " 400 " in smuggled.splitlines()[0]
        both = say(f"POST /privacy HTTP/1.1\n{host}Content-Length: 4\nTransfer-Encoding: chunked\n\n0\n\n")
        assert " 200 " not in both.splitlines()[0]


def test_every_answer_says_what_it_is_and_in_which_characters(app):
    client = app.test_client()
    for address in [*list_addresses(app), "/articles/migraine", "/static/css/portal.css"]:
        with client.get(address) as response:
            kind = response.headers.get("Content-Type", "")
            assert kind or not response.data, address
            assert "charset=utf-8" in kind or not kind.startswith("text/"), address


def test_a_folder_is_not_listed(visitor):
    for path in ("/static/", "/static/css", "/static/css/", "/static/.", "/static/../portal/config.py", "/.git/config"):
        assert visitor.client.get(path).status_code == 404


def test_no_script_of_ours_keeps_anything_in_the_browser():
    for file in (Path(__file__).resolve().parents[2] / "static" / "js").glob("*.js"):
        assert not re.search(r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.", file.read_text()), file
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", file.read_text()), file
