"""The documents on security name tests that exist, and say what they say in full."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted((ROOT / "docs" / "security").glob("*.md"))
ITEM = re.compile(
    r"^\| (V\d+\.\d+\.\d+)(?:–(V\d+\.\d+\.\d+))? \| .+ \| (met|partly|not met|n/a) \| .+ \|$", re.MULTILINE
)


@pytest.fixture(scope="module")
def tests() -> set[str]:
    return {name for file in (ROOT / "tests").rglob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.stem)
def test_each_test_and_file_that_is_named_exists(document, tests):
    text = document.read_text()
    named = set(re.findall(r"`(test_\w+)`", text))
    assert named - tests == set()
    for place in re.findall(r"`((?:portal|tests|docs|templates)/[\w./-]+)`", text):
        assert (ROOT / place).exists(), place


def test_every_weakness_of_the_list_has_a_check():
    rows = re.findall(r"^\| R(\d+) \| (.+?) \| (.+?) \| (.+) \|$", DOCUMENTS_BY_NAME["known-weaknesses"], re.MULTILINE)
    assert [int(number) for number, *_ in rows] == list(range(1, 45))
    assert all("test_" in check for *_, check in rows)


def test_every_item_of_the_standard_stands_once_and_the_sums_are_right():
    text = DOCUMENTS_BY_NAME["asvs"]
    items = ITEM.findall(text)
    assert len(items) == len(re.findall(r"^\| V", text, re.MULTILINE)) == len({first for first, *_ in items})
    counts = {word: sum(status == word for *_, status in items) for word in ("met", "partly", "not met", "n/a")}
    said = re.search(r"Of (\d+) lines (\d+) are met, (\d+) partly, (\d+) not, (\d+) do not apply", text)
    assert [len(items), *counts.values()] == [int(number) for number in said.groups()]


def test_what_is_met_is_shown_by_something():
    for line in DOCUMENTS_BY_NAME["asvs"].splitlines():
        if "| met |" in line:
            assert len(line.split("|")[4].strip()) > 3, line


DOCUMENTS_BY_NAME = {file.stem: file.read_text() for file in DOCUMENTS}
