"""Every field of every form has a length it says, and nothing that can be typed into it breaks anything."""

import importlib
import pkgutil
import re

import pytest
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms import HiddenField, StringField
from wtforms.widgets import html_params

import portal
from portal.access import ANYONE, POLICIES
from portal.core.forms import BaseForm, write_attributes
from tests.conftest import some_of
from tests.visitor import Visitor

# Databases differ in what they take as text and in how much; `make proof` has all the others on both.
OF_THE_DATABASE = {"NUL", "a lone surrogate", "far too long", "%00", "%ED%A0%80", "x" * 3000}
NASTY = {
    "NUL": "a\x00b",
    "control characters": "a\x01\x1b[2J\x7f\x85b",
    "a lone surrogate": b"a\xed\xa0\x80b",
    "no text at all": b"\xff\xfe\x80",
    "turned around": "a\u202e\u2066b\ufeff",
    "far too long": "x" * 30_000,
    "a formula": "=1+1",
}
TYPED = {name: NASTY[name] for name in some_of(NASTY, "NUL", "a lone surrogate", "no text at all", "far too long")}
IN_AN_ADDRESS = ["%00", "a%00b", "%ED%A0%80", "%FF", "%0A%0D", "%E2%80%AE", "x" * 3000]


def some_on_both(cases):
    """The cases, of which those that a database could mind run on both."""
    marks = {True: [pytest.mark.both_engines], False: []}
    return [pytest.param(value, id=id[:20], marks=marks[id in OF_THE_DATABASE]) for id, value in cases.items()]


def all_forms():
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        if "migrations" not in module.name:
            importlib.import_module(module.name)
    found, waiting = set(), [BaseForm]
    while waiting:
        waiting += (more := waiting.pop().__subclasses__())
        found.update(more)
    return sorted((form for form in found if form.__module__.startswith("portal.")), key=lambda form: form.__qualname__)


def text_fields(form):
    return [
        name for name, field in vars(form).items() if issubclass(getattr(field, "field_class", object), StringField)
    ]


@pytest.mark.parametrize("form", all_forms(), ids=lambda form: form.__qualname__)
def test_no_text_is_taken_that_is_longer_than_its_field_says(app, form):
    with app.test_request_context():
        filled = form(formdata=None)
        for name in text_fields(form):
            field = filled[name]
            most = field.flags.maxlength
            assert most, f"{name} takes any length"
            field.data = "x" * (most + 1)
            field.raw_data = [field.data]
            field.validate(filled)
            assert field.errors, f"{name} says at most {most} and takes more"
            if not isinstance(field, HiddenField):
                shown = re.search(r'maxlength="(\d+)"', field())
                assert shown is not None, f"{name} does not say its length"
                assert int(shown[1]) <= most


def test_blanks_are_no_words_where_words_are_asked_for(app):
    with app.test_request_context():
        for form in all_forms():
            filled = form(MultiDict(dict.fromkeys(text_fields(form), " \t\u00a0\n\u200b ")))
            for name in text_fields(form):
                taken = filled[name].validate(filled)
                assert not (taken and filled[name].flags.required), f"{name} of {form.__qualname__} takes blanks"


def open_forms(app):
    """The forms of the pages that anybody can open, with what stands in them."""
    person = Visitor(app)
    person.answer(red_flags_now="none")
    person.open("/book/")
    person.hold()
    pages = ["/assessment/pause", "/assessment/resume", "/book/", "/book/details", "/book/safety", "/display"]
    pages += ["/request/call-back", "/request/time", "/refer/", "/refer/patient", "/assessment/pain_site"]
    for path in pages:
        for form in person.open(path).forms:
            if form.method == "post":
                yield person, form


@pytest.mark.parametrize("nasty", some_on_both(TYPED))
def test_whatever_is_typed_into_any_field_gets_a_clear_answer(app, town, nasty):
    fields = 0
    for person, form in open_forms(app):
        for name in {*form.values, *form.choices} - {"csrf_token"}:
            answer = person.client.post(form.action, data={**form.values, name: nasty}, follow_redirects=True)
            assert answer.status_code in {200, 400, 404, 409, 413, 422, 429}, (form.action, name, answer.status_code)
            assert "<h1" in answer.text
            fields += 1
    assert fields > 40


@pytest.mark.parametrize("nasty", some_on_both({text: text for text in IN_AN_ADDRESS}))
def test_whatever_stands_in_an_address_gets_a_clear_answer(app, nasty):
    client, seen = app.test_client(), 0
    for rule in app.url_map.iter_rules():
        if POLICIES[rule.endpoint] != ANYONE or "GET" not in rule.methods or rule.endpoint.startswith("notifications."):
            continue
        path = re.sub(r"<[^>]*>", nasty, rule.rule)
        names = ("zone", "slot", "month", "day", "since", "mode", "code", "q", "to", "source", "return", "article", "v")
        query = "&".join(f"{name}={nasty}" for name in names)
        for address in {path, f"{rule.rule}?{query}" if "<" not in rule.rule else path}:
            answer = client.get(address)
            answer.close()
            assert answer.status_code < 500, address[:200]
            seen += 1
    assert seen > 40


@pytest.mark.parametrize("value", ['O\'Brien <"x">&amp;', Markup('<b>"bold"</b>'), True, False, None, 7, "", "日本"])
def test_an_input_is_written_as_wtforms_writes_it(value):
    attributes = {"name": "who", "value": value, "class_": "wide", "aria_label": value, "data-a_b": "x"}
    assert write_attributes(**attributes) == html_params(**attributes)
