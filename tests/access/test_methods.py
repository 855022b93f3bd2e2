"""Nothing happens but by the POST of a form of our own: not by a look, another method, or another site's form."""

from __future__ import annotations

import pytest

from tests.access.routes import list_actions
from tests.conftest import some_of
from tests.visitor import Visitor

NOTES_THE_LOOK = {"interop.show_calendar"}  # when the address was last read stands at the desk


def everything(world):
    return list_actions(world.app, **{**world.own, **world.foreign}, **world.keys(), question_id="pain_site")


@pytest.mark.parametrize("actor", ["manager", "patient A"])
def test_looking_at_everything_changes_nothing(world, actor):
    before, person = world.dump(), world.people[actor]
    for action in everything(world):
        if action.method == "GET" and action.endpoint not in NOTES_THE_LOOK and not action.address.endswith(".pdf"):
            for method in some_of(["GET", "HEAD"], "GET"):
                person.client.open(action.address, method=method).close()
    assert world.dump() == before


@pytest.mark.parametrize("actor", some_of(["manager", "Ada", "patient A"], "manager"))
def test_no_form_is_sent_by_another_method(world, actor):
    before, person = world.dump(), world.people[actor]
    person.open("/request/call-back")
    data = {"csrf_token": person.page.form.values["csrf_token"][0], "choice": "time", "confirmed": "yes"}
    looked_at = {action.address for action in everything(world) if action.method == "GET"}
    for action in everything(world):
        if action.method == "POST":
            others = some_of(["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"], "PUT", "PROPFIND")
            for method in (*others, *(("GET", "HEAD") if action.address not in looked_at else ())):
                response = person.client.open(action.address, method=method, data=data)
                assert response.status_code == 405, (action, method)
    assert world.dump() == before


@pytest.mark.parametrize("actor", some_of(["manager", "front desk", "Ada", "patient A", "nobody"], "manager", "nobody"))
def test_a_form_of_another_site_is_refused(world, actor):
    before, person = world.dump(), world.people[actor]
    stolen = Visitor(world.app).open("/request/call-back").form.values["csrf_token"][0]
    for action in everything(world):
        if action.method == "POST":
            for token in ({}, {"csrf_token": ""}, {"csrf_token": stolen}, {"csrf_token": "x" * 91}):
                response = person.client.post(action.address, data={**token, "choice": "time", "confirmed": "yes"})
                assert response.status_code in {302, 400}, (action, token)
                assert response.status_code == 400 or "/desk/sign-in" in response.location
    assert world.dump() == before


def test_a_method_named_in_a_header_or_field_is_not_taken(world):
    before, sent = world.dump(), {action.address for action in everything(world) if action.method == "POST"}
    headers = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "DELETE", "X-Method-Override": "POST"}
    for action in everything(world):
        if action.method == "GET" and action.address in sent:
            world.people["manager"].client.get(f"{action.address}?_method=DELETE", headers=headers).close()
    assert world.dump() == before
