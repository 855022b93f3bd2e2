"""What a cache between the portal and many people may keep is about nobody, and is never old for long."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from portal.accounts.services import StaffRole
from portal.core.db import db, transactional
from portal.core.kept import KEEP
from portal.scheduling import contact
from portal.scheduling.models import Clinic, Slot, VisitType
from tests.visitor import Visitor

PHONE = "+1 646 555 0199"


class SharedCache:
    """Keeps what it may, as RFC 9111 says, and gives it to whoever asks next."""

    def __init__(self):
        self.kept = {}

    def get(self, person, path):
        """What the person gets, from here or from the portal; and whether it is kept here."""
        for varies, seen, response in self.kept.get(path, []):
            if all(self._header(person, name) == seen[name] for name in varies):
                return response, True
        response = person.client.get(path)
        response.get_data()
        response.close()
        control = response.cache_control
        if response.status_code == 200 and control.public and not control.no_store and not control.private:
            varies = set(response.vary)
            seen = {name: self._header(person, name) for name in varies}
            self.kept.setdefault(path, []).append((varies, seen, response))
            return response, True
        return response, False

    def _header(self, person, name):
        if name.lower() == "cookie":
            return tuple(sorted((cookie.key, cookie.value) for cookie in person.client._cookies.values()))
        return ""


def addresses(app):
    """The address of every page that can be opened without signing in and without a number in its address."""
    from portal.access import ANYONE, POLICIES
    from portal.education.shelf import get_library

    with app.app_context():
        found = [page.path for page in get_library().pages]
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    for_all = [rule for rule in rules if POLICIES[rule.endpoint] is ANYONE]
    return found + [rule.rule for rule in for_all if not rule.rule.startswith("/dev/")]


def test_through_a_shared_cache_nobody_gets_the_page_of_somebody_else(keeping):
    """Three people: one has booked, one is about to, one has just come. All open all pages through one cache."""
    booked, about_to, stranger = (Visitor(keeping) for _ in range(3))
    booked.finish(sex="female")
    booked.book(name="Zebulon Quill")
    about_to.pass_safety()
    about_to.hold()
    cache = SharedCache()
    kept = []
    for path in addresses(keeping):
        for person in (booked, about_to, stranger):
            response, from_cache = cache.get(person, path)
            assert not (from_cache and "Set-Cookie" in response.headers), path
            assert not (from_cache and b"csrf_token" in response.data), path
            if person is not booked:
                assert b"Zebulon" not in response.data, path
            if from_cache:
                kept.append(path)
                assert response.data == person.client.get(path).data, path
    assert {"/", "/articles/migraine", "/specialists/"} <= set(kept)
    assert not [path for path in kept if path.startswith(("/book", "/assessment/", "/visit", "/desk"))]


@pytest.mark.parametrize("path", ["/", "/articles/migraine", "/specialists/"])
def test_a_cookie_changes_nothing_of_a_page_to_read(keeping, path):
    fresh, patient = Visitor(keeping), Visitor(keeping)
    patient.pass_safety()
    pages = [person.client.get(path) for person in (fresh, patient)]
    assert pages[0].data == pages[1].data
    assert pages[0].headers["ETag"] == pages[1].headers["ETag"]
    assert "Cookie" not in pages[1].vary


def test_reading_a_kept_page_is_still_counted(keeping):
    from portal.referrals.models import Milestone

    patient = Visitor(keeping)
    Visitor(keeping).open("/articles/migraine")
    patient.pass_safety()
    patient.open("/articles/migraine", headers={"User-Agent": "Mozilla/5.0 (X11) Firefox/140.0"})
    with keeping.app_context():
        assert "read" in {row.kind for row in db.session.query(Milestone)}


@transactional
def change_phone():
    db.session.get_one(Clinic, 1).phone = PHONE


def test_what_the_clinic_changes_shows_within_seconds_and_browsers_ask_within_minutes(keeping, visitor, clock):
    before = visitor.open("/articles/migraine").response
    with keeping.app_context():
        change_phone()
    assert PHONE not in visitor.open("/articles/migraine").text
    clock.shift(KEEP + timedelta(seconds=1))
    after = visitor.open("/articles/migraine").response
    assert PHONE in after.text
    assert after.headers["ETag"] != before.headers["ETag"]
    assert after.cache_control.max_age <= 300
    assert visitor.client.get("/").cache_control.max_age <= 60


def test_while_somebody_works_on_it_a_change_shows_at_once(app, visitor):
    visitor.open("/articles/migraine")
    with app.app_context():
        change_phone()
    assert PHONE in visitor.open("/articles/migraine").text


def test_a_page_that_has_not_changed_is_not_sent_again(keeping, visitor):
    etag = visitor.open("/articles/migraine").response.headers["ETag"]
    again = visitor.client.get("/articles/migraine", headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Cache-Control"] == "public, max-age=300"


@pytest.mark.parametrize(
    ("accepts", "sent"), [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("br;q=0", None), ("", None)]
)
def test_a_page_comes_as_the_browser_reads_it(keeping, visitor, accepts, sent):
    response = visitor.client.get("/articles/migraine", headers={"Accept-Encoding": accepts})
    assert response.headers.get("Content-Encoding") == sent
    assert response.content_length == len(response.data)
    assert "Accept-Encoding" in response.vary


def test_a_static_file_is_kept_for_good_only_under_the_address_of_its_content(keeping, visitor):
    from portal.core.static import static_url

    with keeping.test_request_context():
        address = static_url("css/portal.css")
    assert "immutable" in visitor.client.get(address).headers["Cache-Control"]
    for other in ("/static/css/portal.css", "/static/css/portal.css?v=of-another-process"):
        assert visitor.client.get(other).headers["Cache-Control"] == "no-cache"
    assert visitor.client.get("/static/../wsgi.py").status_code == 404


def test_a_page_made_while_the_database_is_away_is_kept_by_nobody(keeping, visitor, monkeypatch):
    def fail():
        raise OperationalError("SELECT", {}, Exception("away"))

    with monkeypatch.context() as away:
        away.setattr(contact, "_ask", fail)
        assert visitor.open("/articles/migraine").response.headers["Cache-Control"] == "no-store"
    keeping.extensions["portal.away_until"] = 0.0
    assert visitor.client.get("/articles/migraine").cache_control.public


def headers_of(response):
    """All but the id, which is another one each time."""
    return sorted(header for header in response.headers if header[0] != "X-Request-ID")


@pytest.mark.parametrize("known", [False, True])
def test_the_second_stranger_gets_what_the_first_one_got(keeping, known):
    client = keeping.test_client(use_cookies=False)
    first = client.get("/articles/migraine", headers={"Accept-Encoding": "br"})
    headers = {"Accept-Encoding": "br", **({"If-None-Match": first.headers["ETag"]} if known else {})}
    second = client.get("/articles/migraine", headers=headers)
    whole_way = client.get("/articles/migraine", headers={**headers, "Cookie": "a=b"})
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert (second.status, headers_of(second)) == (whole_way.status, headers_of(whole_way))
    assert second.data == whole_way.data == (b"" if known else first.data)


@pytest.mark.parametrize("asked", [{"query_string": "a=b"}, {"method": "HEAD"}, {"headers": {"Cookie": "a=b"}}])
def test_only_what_a_stranger_asks_plainly_is_answered_in_front_of_flask(keeping, visitor, asked):
    visitor.open("/articles/migraine")
    seen, client = [], keeping.test_client(use_cookies=False)
    keeping.before_request_funcs[None].insert(0, lambda: seen.append("by Flask"))
    client.get("/articles/migraine")
    assert seen == []
    client.open("/articles/migraine", **asked)
    assert seen == ["by Flask"]


def test_a_kept_page_is_given_at_no_other_address_than_ours(keeping, visitor):
    visitor.open("/articles/migraine")
    assert visitor.client.get("/articles/migraine", base_url="http://evil.example/").status_code == 400


def test_a_type_of_visit_that_another_process_just_added_is_on_the_desks_pages_at_once(keeping, staff):
    desk = staff(StaffRole.FRONT_DESK)
    day, week = "/desk/day/2026-11-20", "/desk/week/2026-11-20"
    assert desk.open(day).status == desk.open(week).status == 200

    @transactional
    def add_type():
        known = db.session.scalar(select(VisitType))
        columns = {name: getattr(known, name) for name in ("kind", "mode", "minutes", "description", "preparation")}
        added = VisitType(code="group", name="Group teaching", lanes=[], **columns)
        db.session.add(added)
        db.session.flush()
        slot = db.session.scalar(select(Slot).where(Slot.day == date(2026, 11, 20)))
        slot.visit_type_id = added.id

    with keeping.app_context():
        add_type()
    assert "Group teaching" in desk.open(day).text
    assert desk.open(week).status == 200
