"""Patients at the desk: found by whatever a caller says, never listed, merged and parted again."""

from __future__ import annotations

import pytest

from portal.booking.people import find_patients


@pytest.fixture
def find(app):
    """The names of whom a text finds."""

    def find(text, **options):
        with app.app_context():
            return [match.patient.name for match in find_patients(text, **options)]

    return find


@pytest.fixture
def jose(book):
    """José García-López, born 5/17/1980, with a visit on Friday; the reference of it."""
    _, reference = book("2026-11-20 09:00", name="José García-López", email="jose@example.com", phone="212 555 0177")
    return reference


@pytest.mark.parametrize(
    "text",
    [
        "jose",
        "garcia",
        "Lopez José",
        "Garc, j",
        "García 5/17/1980",
        "0177",
        "(212) 555-0177",
        "+1 212.555.0177",
        "212 555 0177",
        "JOSE@exam",
        "jos",
        "5/17/1980",
        "1980-05-17",
        "05171980",
    ],
)
def test_a_caller_is_found_by_whatever_is_said_first(find, jose, text):
    assert find(text) == ["José García-López"]


@pytest.mark.parametrize("written", ["{}", "{:l}", "{:n}", "{:s}", " {:b} "])
def test_a_reference_is_found_however_it_is_written(find, jose, written):
    ways = {
        "{}": jose,
        "{:l}": jose.lower(),
        "{:n}": jose.replace("-", ""),
        "{:s}": jose.removeprefix("TST-"),
        " {:b} ": f" {jose.removeprefix('TST-').replace('-', '').lower()} ",
    }
    assert find(ways[written]) == ["José García-López"]


@pytest.mark.parametrize(
    "text", ["", "jo", "a b", "177", "%%%", "___", "12%", "maria", "5/18/1980", "garcia 5/18/1980"]
)
def test_too_little_or_something_else_finds_nobody(find, jose, text):
    assert find(text) == []


def test_typing_never_lists_more_than_a_few(find, book):
    for hour in (9, 10, 11, 12):
        book(f"2026-11-20 {hour:02}:00")
    assert len(find("person", limit=3)) == 3
    assert len(find("number person")) == 4
