"""Three hundred ways to write an address: none of them leads out of the portal."""

from __future__ import annotations

import itertools
import re
from urllib.parse import quote, urlsplit

import pytest

from tests.visitor import Visitor

HOME = "http://127.0.0.1:8000"
BEGINNINGS = [
    "https://evil.example", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
    "\\\\evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example",
    "http:evil.example", "http:/evil.example", "https:///evil.example", "HTTPS://EVIL.EXAMPLE", "javascript:alert(1)",
    "JaVaScRiPt:alert(1)", "\x01javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x",
    "//evil.example:80", "//evil.example@127.0.0.1:8000", "//127.0.0.1:8000@evil.example", "@evil.example",
    "//127.0.0.1:8000.evil.example", "http://127.0.0.1:8000@evil.example", "//[::1]", "//0x7f.1",
    "//evil%E3%80%82example",
    "/%2fevil.example", "/%5cevil.example", "/%09/evil.example", "/.//evil.example", "/..//evil.example",
    "/./\\evil.example", "/;@evil.example", "?to=//evil.example", "#//evil.example", "\uff0e//evil.example",
    "//ⓔⓥⓘⓛ.example", "/articles/../..//evil.example", "/articles/migraine/..//evil.example",
    "/articles/migraine\\@evil.example", " //evil.example", "\u2028//evil.example", "%2f%2fevil.example",
    "/\u2215/evil.example", "ftp://evil.example", "//user:password@evil.example", "mailto:x@evil.example",
    "/\x00/evil.example",
]  # fmt: skip
ENDS = ["", "/", "/articles/migraine", "?x=/articles/migraine", "#/articles/", "%23.127.0.0.1:8000"]
PAYLOADS = ["".join(parts) for parts in itertools.product(BEGINNINGS, ENDS)]


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def leads_out(location: str) -> bool:
    """Whether a browser would leave: it drops tabs and line breaks, and takes a backslash for a slash."""
    read = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33))))).replace("\\", "/")
    if read.startswith(f"{HOME}/"):
        return False
    return read.startswith("//") or bool(urlsplit(read).scheme)


def test_there_are_three_hundred_of_them_and_most_would_lead_out():
    assert len(set(PAYLOADS)) >= 300
    assert sum(map(leads_out, PAYLOADS)) > 150
    assert not leads_out("/articles/migraine")


def test_where_a_link_leads_to_is_one_of_our_own_pages(visitor):
    for payload in PAYLOADS:
        response = visitor.client.get(f"/r/partner?to={quote(payload, safe='')}")
        assert (response.status_code, response.location) == (303, "/assessment/"), payload
    assert visitor.client.get("/r/partner?to=/book/").location == "/book/"


def test_a_code_is_never_taken_for_an_address(visitor):
    for payload in PAYLOADS:
        response = visitor.client.get(f"/r/{quote(payload, safe='/')}")
        assert not response.location or not leads_out(response.location), payload


def test_who_is_sent_by_a_booking_site_stays_here(visitor):
    for payload in PAYLOADS:
        for path, query in (("/book/", {"source": "x", "to": payload}), (f"/{payload}", {"source": "x"})):
            response = visitor.client.get(
                "/", query_string=query, environ_overrides={"PATH_INFO": path.encode().decode("latin-1")}
            )
            assert not response.location or not leads_out(response.location), payload


@pytest.mark.parametrize("names", ["_external=1&_scheme=https&_anchor=x", "_host=evil.example", "next=//evil.example"])
def test_no_parameter_changes_whose_address_it_is(visitor, names):
    response = visitor.client.get(f"/book/?source=x&{names}")
    assert response.location == f"/book/?{names}".replace("//", "%2F%2F")


def test_choosing_colours_leads_back_to_our_own_pages_only(app):
    person = Visitor(app)
    person.open("/display")
    action, kept = person.page.form.action, person.page.form.values
    for payload in PAYLOADS:
        response = person.client.post(action, data={**kept, "theme": "dim", "back": payload})
        assert not leads_out(response.location), payload
