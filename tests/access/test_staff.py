"""Every route of the desk, every method, asked for by everybody, about something own, somebody else's, or nothing."""

from __future__ import annotations

import re

import pytest

from tests.access.policy import LET_IN, NOT_FOUND, REFUSED, SIGN_IN, STAFF_ROUTES, expect
from tests.access.routes import Action, list_actions
from tests.access.world import World
from tests.conftest import some_of

ACTORS = ["nobody", "patient A", "patient C", "disabled", "front desk", "manager", "Ada", "Ben"]
SEES_ALL = {"front desk", "manager"}  # to whom nothing at the clinic is foreign
CASES = [
    (actor, whose)
    for actor in ACTORS
    for whose in ("own", "foreign", "missing")
    if whose != "foreign" or actor not in SEES_ALL
]
# Ben is to Ada what she is to him; who is not signed in is asked to sign in, whatever it is about.
SHOWN = [(actor, "own") for actor in ACTORS if actor != "Ben"]
SHOWN += [("Ada", "foreign"), ("Ada", "missing"), ("manager", "missing")]

ANSWERS = {"GET": {200, 302, 303, 403, 404, 422}, "POST": {200, 204, 302, 303, 400, 403, 404, 409, 422}}


def actions_about(world: World, values: dict[str, object]) -> list[Action]:
    return [action for action in list_actions(world.app, **values) if action.endpoint in STAFF_ROUTES]


def ask(world: World, actor: str, action: Action) -> tuple[str, bytes]:
    """What somebody gets, in a word, and the page without what is new in each answer."""
    person = world.people[actor]
    if action.method == "GET":
        response = person.client.get(action.address)
    else:
        response = person.client.post(action.address, data={"csrf_token": world.tokens[actor]})
    body = re.sub(rb'[0-9A-F]{8}\.</p>|value="[^"]{60,}"', b"", response.data)
    response.close()
    if response.status_code == 302 and "/desk/sign-in" in response.headers["Location"]:
        return SIGN_IN, b""
    assert response.status_code in ANSWERS[action.method], (actor, action)
    return {403: REFUSED, 404: NOT_FOUND}.get(response.status_code, LET_IN), body


@pytest.mark.parametrize(("actor", "whose"), some_of(CASES, *SHOWN))
def test_everybody_gets_what_the_table_says_and_nothing_else(world, actor, whose):
    mine, others = (world.foreign, world.own) if actor == "Ben" else (world.own, world.foreign)
    values = {"own": {**world.own, **mine}, "foreign": {**world.own, **others}, "missing": {}}[whose]
    wrong = []
    for action in actions_about(world, values):
        wanted = expect(actor, action.endpoint, whose if action.names_something else "own")
        got, _ = ask(world, actor, action)
        if got != wanted:
            wrong.append((action.endpoint, action.method, got, "not", wanted))
        if action.method == "POST" and got == LET_IN:
            world.restore()
    assert wrong == []


def test_a_colleagues_visit_and_one_that_does_not_exist_look_the_same_to_the_last_byte(world):
    foreign = {(action.endpoint, action.method): action for action in actions_about(world, world.foreign)}
    compared = 0
    for missing in actions_about(world, {}):
        other = foreign[missing.endpoint, missing.method]
        if expect("Ada", other.endpoint, "foreign") == NOT_FOUND:
            assert ask(world, "Ada", other) == ask(world, "Ada", missing), other
            compared += 1
    assert compared >= 6


@pytest.mark.parametrize("actor", ["front desk", "Ada", "nobody"])
def test_who_is_refused_does_not_learn_whether_it_exists(world, actor):
    there = {(action.endpoint, action.method): action for action in actions_about(world, world.own)}
    for missing in actions_about(world, {}):
        action = there[missing.endpoint, missing.method]
        if expect(actor, action.endpoint, "missing") in {REFUSED, SIGN_IN}:
            assert ask(world, actor, action) == ask(world, actor, missing), action


@pytest.mark.parametrize("actor", ["nobody", "patient A", "disabled", "front desk", "Ada"])
def test_who_may_not_changes_nothing(world, actor):
    before = world.dump()
    for action in actions_about(world, {**world.own, **world.foreign}):
        if action.method == "POST" and expect(actor, action.endpoint, "foreign") != LET_IN:
            ask(world, actor, action)
    assert world.dump() == before
