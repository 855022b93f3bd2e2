"""A page that is the same for many is made once for all of them, with everybody's own token in its forms."""

import pytest

from benchmarks.stored import note_queries
from portal.booking.slot_list import AS_OLD_AS
from portal.core.kept import MOST, keep
from tests.visitor import Visitor


@pytest.fixture
def people(keeping):
    people = [Visitor(keeping) for _ in range(2)]
    for person in people:
        person.pass_safety()
    return people


def token_of(page):
    (token,) = page.form.values["csrf_token"]
    return token


def test_each_gets_the_same_times_and_an_own_token(people):
    one, other = people
    first = one.open("/book/")
    with note_queries() as sent:
        second = other.open("/book/")
    assert [query for query in sent if "FROM slot" in query] == []
    assert token_of(first) != token_of(second)
    assert first.text.replace(token_of(first), "") == second.text.replace(token_of(second), "")
    assert one.hold(one.free_slots()[0]).path == other.hold(other.free_slots()[1]).path == "/book/details"


def test_a_time_that_somebody_takes_is_gone_a_moment_later_and_is_given_to_nobody_else_before(people, clock):
    one, other = people
    one.open("/book/")
    slot = one.free_slots()[0]
    one.hold(slot)
    other.open("/book/")
    assert slot in other.free_slots()
    assert other.hold(slot).status == 409
    clock.shift(AS_OLD_AS)
    other.open("/book/")
    assert slot not in other.free_slots()


def test_who_holds_a_time_sees_it_at_once(people):
    for place, person in enumerate(people):
        person.open("/book/")
        person.hold(person.free_slots()[place])
        assert "You hold" in person.open("/book/").text


def test_a_question_is_the_same_for_all_until_it_is_answered_and_then_ones_own(people):
    pages = []
    for person in people:
        person.open("/assessment/")
        person.send()
        pages.append(person.send(red_flags_now="none", next="1"))
    one, other = people
    assert pages[0].text.replace(token_of(pages[0]), "") == pages[1].text.replace(token_of(pages[1]), "")
    question = pages[0].path
    (name,) = pages[0].form.choices
    option = pages[0].form.choices[name][0]
    assert one.send(**{name: option}, next="1").path != question
    assert f'value="{option}" checked' in one.open(question).text
    assert "checked" not in other.open(question).text


def test_memory_is_not_filled_by_who_asks_for_ever_more(keeping):
    with keeping.app_context():
        for number in range(2 * MOST):
            keep(number, lambda: "something")
        assert len(keeping.extensions["portal.kept"]) <= MOST
        assert keep(2 * MOST - 1, lambda: "made anew") == "something"
