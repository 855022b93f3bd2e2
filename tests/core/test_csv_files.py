"""Tables as CSV: text stays text in every spreadsheet."""

import csv
import io

import pytest

from portal.core.csv_files import write_csv

FORMULAS = [
    "=1+1",
    "+1",
    "-1+1",
    "@SUM(A1)",
    '=HYPERLINK("http://evil.example","x")',
    "=cmd|'/C calc'!A0",
    "\t=1",
    "\r=1",
    "\n=1",
    "  =1",
    "|x",
    "%x",
    "\uff1d1+1",
]


@pytest.fixture
def engine() -> str:
    """Nothing here has to do with a database."""
    return "sqlite"


@pytest.mark.parametrize("text", FORMULAS, ids=ascii)
def test_what_would_be_a_formula_is_text(text):
    heading, row = csv.reader(io.StringIO(write_csv([text], [[text]]), newline=""))
    assert heading == row == [f"'{text}"]


@pytest.mark.parametrize("text", ["Leaflet", "5 of 7", 'Says "hi", twice', "two\r\nlines", "ünï", "a=b"])
def test_other_text_comes_back_as_it_was(text):
    assert list(csv.reader(io.StringIO(write_csv(["x"], [[text]]), newline="")))[1] == [text]


def test_numbers_stay_numbers_and_nothing_stays_empty():
    assert write_csv(["a", "b", "c"], [[-5, None, 0.25]]) == "a,b,c\r\n-5,,0.25\r\n"
