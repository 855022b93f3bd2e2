"""How many questions each page may ask of the database, in production; what the pages need and no more."""

import pytest

from benchmarks.stored import note_queries
from tests.visitor import Visitor

# Pages for readers ask nothing once they are kept; a page of a booking asks for its own person and for free times.
READERS = ("/", "/articles/", "/articles/migraine", "/treatments/", "/specialists/", "/privacy", "/sitemap.xml")
STATIC = ("/static/css/portal.css", "/static/js/portal.js")
BOOKING = {"/book/": 4, "/book/details": 4, "/book/check": 4, "/assessment/red_flags_now": 1}
DESK = {"/desk/": 2, "/desk/day/2026-11-20": 10, "/desk/week/2026-11-20": 8, "/desk/month/2026-11": 4}


def count(visitor, path):
    visitor.open(path)
    with note_queries() as sent:
        response = visitor.client.get(path)
    assert response.status_code in {200, 303}, path
    return len(sent)


@pytest.mark.parametrize("path", [*READERS, *STATIC])
def test_a_page_that_is_kept_asks_nothing(keeping, visitor, path):
    assert count(visitor, path) == 0


def test_the_pages_of_a_booking_keep_to_their_budget(keeping, visitor):
    visitor.pass_safety()
    visitor.hold()
    visitor.fill_in()
    asked = {path: count(visitor, path) for path in BOOKING}
    assert {path: number for path, number in asked.items() if number > BOOKING[path]} == {}


def test_an_answer_keeps_to_its_budget(keeping, visitor):
    """What was answered is read to judge the page, read again where it is changed, and written."""
    visitor.open("/assessment/")
    visitor.send()
    with note_queries() as sent:
        visitor.client.post(visitor.page.path, data={**visitor.page.form.values, "red_flags_now": "none"})
    assert len(sent) == 3


def test_holding_and_booking_keep_to_their_budget(keeping):
    person = Visitor(keeping)
    person.pass_safety()
    person.open("/book/")
    with note_queries() as for_hold:
        person.client.post("/book/", data={**person.page.form.values, "slot": person.free_slots()[0]})
    person.open("/book/details")
    with note_queries() as for_details:
        typed = {**person.page.form.values, **Visitor.DETAILS}
        assert person.client.post("/book/details", data=typed).location == "/book/check"
    person.open("/book/check")
    with note_queries() as for_booking:
        assert person.client.post("/book/check", data=person.page.form.values).location == "/book/confirmed"
    assert without_hits(for_hold) <= 10
    assert without_hits(for_details) <= 7
    assert without_hits(for_booking) <= 18


def test_the_hits_of_a_form_are_looked_up_at_once_and_only_who_comes_first_writes_that_times_were_seen(keeping):
    person = Visitor(keeping)
    person.pass_safety()
    person.open("/book/")
    with note_queries() as again:
        person.open("/book/")
    assert [query for query in again if not query.startswith("SELECT")] == []
    with note_queries() as for_hold:
        person.client.post("/book/", data={**person.page.form.values, "slot": person.free_slots()[0]})
    assert len([query for query in for_hold if "FROM hit_count" in query]) == 1


@pytest.mark.parametrize("path", DESK)
def test_the_desk_keeps_to_its_budget(keeping, desk, path):
    assert count(desk, path) <= DESK[path]


def without_hits(sent):
    """How many there are besides counting hits, which comes before any work and in transactions of its own."""
    return len([query for query in sent if "hit_count" not in query])
