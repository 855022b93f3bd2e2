"""Requests that no browser would send: every route and form, with values that are nearly right or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from tests.access.routes import MISSING, Action, list_actions
from tests.access.world import World

MARK = "fuzz"  # what is looked for in answers, where it must not stand as markup
NASTY = [
    *("", " ", "\t", "\n", "\r\n", "\x00", "a\x00b", "\ud800", "a\udfffb", "\ufeff", "\u202eevil"),
    *("\u2028", "\x1b[31m"),
    *("0", "-1", "1", "2", "007", "1.5", "1e400", "NaN", "-Infinity", "0x10", "1_000", "٣", "²", "Ⅳ", "+1", " 1 "),
    *(str(2**31 - 1), str(2**31), str(-(2**31) - 1), str(2**63 - 1), str(2**63), str(10**40), "9" * 5000),
    *("2026-11-23", "2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "10000-01-01"),
    *("2026-W48-1", "-2026-01-01"),
    *("2026-11", "2026-13", "9999-12", "0001-01", "24:00", "25:61", "09:00", "09:00:00.5", "5/17/1980", "2/30/1980"),
    *("2026-11-23T10:00", "2026-11-01T01:30", "America/New_York", "../../etc/localtime", "Etc/GMT+99", "UTC\x00"),
    *("yes", "no", "on", "null", "None", "true", "[]", "{}", '["a"]', '{"a": 1}', "none", "new"),
    *("call", "east", "ada"),
    *("00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "not-a-uuid", "A" * 43),
    *("FREQ=WEEKLY;BYDAY=MO", "FREQ=SECONDLY", "FREQ=DAILY;INTERVAL=0"),
    *("FREQ=YEARLY;COUNT=999999999", "FREQ=WEEKLY;BYDAY="),
    *("' OR 1=1--", "'; DROP TABLE appointment;--", "1) UNION SELECT 1", "%", "_", "%%%", "\\"),
    *("'\"`", "-- ", "name desc"),
    *("%s%n", "{0.__class__}", "{{7*7}}", "${7*7}", "<%= 7 %>"),
    *("*" * 200, "(" * 2000, "a OR b AND NOT c", '"unclosed'),
    *("../../etc/passwd", "..%2f..%2f", "/etc/passwd", "C:\\x", "portal.css\x00.png", ".", ".."),
    *("%00", "%ff", "%2e%2e/"),
    *(f"<script>{MARK}</script>", f"\"'><img src=x onerror={MARK}>", f"</textarea><svg onload={MARK}>", f"-->{MARK}"),
    *("https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example"),
    *("javascript:alert(1)", "/desk/"),
    *(f"x\r\nSet-Cookie: {MARK}=1", f"x\nBcc: {MARK}@evil.example", "=HYPERLINK(1)"),
    *("BEGIN:VCALENDAR", "@a", "a@b", "a@b.co"),
    *("jane@example.com", "ï@exämple.com", "a" * 65 + "@example.com", "212 555 0142"),
    *("+999999999999999", "911", "tel:1"),
    *("👩‍⚕️" * 20, "İstanbul", "ß", "ﷺ" * 100, "e\u0301" * 300, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢"),
    *("x" * 2000, "y" * 70_000),
]  # fmt: skip
PARAMETERS = [
    *("sort", "order", "filter", "page", "limit", "offset", "q", "day", "month", "date", "since", "from"),
    *("until", "before", "slot", "zone", "view", "mode", "location", "provider", "part_of_day", "weekdays"),
    *("clinician", "by", "moving", "times", "poll", "seen", "actor", "action", "subject", "wrong", "late"),
    *("code", "who", "next", "to", "source", "time", "type", "return", "booking-referral", "group", "place"),
    *("patient", "request", "_method", "utm_source", "csrf_token"),
]  # fmt: skip
HEADERS = [
    *("HX-Request", "HX-Request-Type", "HX-Target", "HX-Source", "HX-Current-URL", "HX-Boosted"),
    *("If-None-Match", "If-Modified-Since", "Range", "Accept", "Accept-Language", "Accept-Encoding"),
    *("Content-Type", "Referer", "Origin", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"),
    *("Forwarded", "X-Request-ID", "User-Agent", "DNT", "Cookie", "X-CSRFToken", "Authorization"),
    *("Sec-Purpose", "X-HTTP-Method-Override", "Expect", "Date", "Max-Forwards"),
]  # fmt: skip
METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "BREW"]
CONTENT_TYPES = ["application/x-www-form-urlencoded"] * 40 + [
    *("application/json", "multipart/form-data; boundary=x", "multipart/form-data", "text/xml", "", "*/*;q=x"),
]  # fmt: skip

ANYTHING = st.one_of(
    st.sampled_from(NASTY), st.sampled_from(NASTY), st.text(max_size=30), st.integers(-5, 3000).map(str)
)


@dataclass(frozen=True, repr=False)
class Shot:
    """One request, as it goes over the wire."""

    actor: str
    method: str
    path: str  # percent-encoded, with its query
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    follow_form: int = -1  # which form of the answer to send next; -1 for none
    changes: list[tuple[int, str]] = field(default_factory=list)  # which of its fields to send with what

    def __repr__(self) -> str:
        parts = (self.actor, self.method, self.path, self.body, self.headers, self.follow_form, self.changes)
        return f"Shot({', '.join(repr(part)[:400] for part in parts)})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        """As Hypothesis shows it: a body whole would make its report fail."""
        printer.text(repr(self))


def encode(text: str) -> str:
    """Percent-encoded whatever it holds, as bytes that need not be UTF-8."""
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def encode_form(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{encode(name)}={encode(value)}" for name, value in pairs).encode()


def shots(world: World) -> st.SearchStrategy[Shot]:
    """Requests as anybody to any route of the portal, about what is there and what is not."""
    actors = st.sampled_from([*world.people, "stranger"])
    changes = st.lists(st.tuples(st.integers(0, 20), ANYTHING), max_size=3)
    return st.builds(_shoot, actors, _targets(world), _pairs(), _fields(world), _headers(),
                     st.sampled_from(CONTENT_TYPES), st.sampled_from([0, 1, 2, 3, -1]), changes)  # fmt: skip


def _shoot(actor, target, query, fields, headers, content_type, follow_form, changes) -> Shot:
    method, address = target
    path = address + (f"?{encode_form(query).decode()}" if query else "")
    clean = {name: value for name, value in headers if value.isprintable() and value.isascii()}
    if method in {"GET", "HEAD"}:
        return Shot(actor, method, path, b"", clean, follow_form, changes)
    clean.setdefault("Content-Type", content_type)
    return Shot(actor, method, path, encode_form(fields), clean, follow_form, changes)


def _targets(world: World) -> st.SearchStrategy[tuple[str, str]]:
    """A method and an address: mostly as a route has them."""
    whole: list[Action] = []
    for values in (world.own, {**world.own, **world.foreign}, {}):
        for key in ("A", "C", "reference of A", "reference of B"):
            whole += list_actions(world.app, **values, **(world.keys(key) if values else {}))
    known = sorted({(action.method, action.address) for action in whole})
    rules = sorted({rule.rule for rule in world.app.url_map.iter_rules()})
    garbage = st.one_of(
        st.builds(_fill, st.sampled_from(rules), st.lists(ANYTHING, min_size=3, max_size=3)),
        st.lists(ANYTHING, max_size=3).map(lambda parts: "/" + "/".join(encode(part) for part in parts)),
    )
    methods, addresses = st.sampled_from(METHODS), st.sampled_from(known).map(lambda action: action[1])
    as_meant = [st.sampled_from(known).map(lambda action: action) for _ in range(8)]  # each one counts as a choice
    return st.one_of(*as_meant, st.tuples(methods, addresses), st.tuples(methods, garbage))


def _fill(rule: str, values: list[str]) -> str:
    """A route's address with anything where its arguments stand."""
    parts, rest = [], list(values)
    for part in rule.split("<"):
        inside, end, after = part.partition(">")
        parts.append(encode((rest.pop() if rest else "x")[:200]) + after if end else inside)
    return "".join(parts) or f"/{MISSING['day']}"


def _pairs() -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.lists(st.tuples(st.sampled_from(PARAMETERS), ANYTHING), max_size=3)


def _headers() -> st.SearchStrategy[list[tuple[str, str]]]:
    return st.one_of(st.just([]), st.just([]), st.lists(st.tuples(st.sampled_from(HEADERS), ANYTHING), max_size=3))


def _fields(world: World) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Fields as forms of the portal have them, some twice, some missing, with anything in them."""
    ids = [str(value) for values in (world.own, world.foreign) for value in values.values()]
    value = st.one_of(ANYTHING, ANYTHING, st.sampled_from(ids))
    return st.lists(st.tuples(st.sampled_from(FIELDS), value), max_size=8)


FIELDS = [
    *("name", "date_of_birth", "email", "phone", "reach_by", "note", "slot", "key", "choice", "confirmed"),
    *("version", "back", "status", "reason", "words", "weekdays", "parts_of_day", "modes", "locations"),
    *("leave", "best_time", "outcome", "q", "provider", "location", "visit_type", "first", "last", "opens"),
    *("closes", "weekday", "rhythm", "rule", "valid_from", "valid_until", "day", "seen", "role", "password"),
    *("again", "code", "label", "kind", "destination", "theme", "practice", "begun", "website", "consent"),
    *("patient", "request_id", "call", "own_day", "own_begins", "own_time", "answer", "next", "skip"),
    *("red_flags_now", "pain_site", "age_band", "zone", "minutes", "address", "mode", "lanes", "active"),
    *("anything",),
]  # fmt: skip
