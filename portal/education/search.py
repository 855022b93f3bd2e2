"""Search over articles, treatments, their questions and the glossary: stems words, forgives typing errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from lunr import get_default_builder
from lunr.query import Query, QueryPresence
from lunr.stop_word_filter import stop_word_filter

from portal.education.library import Alarm, Library, Page

LONGEST_QUERY, LONGEST_WORD = 200, 16  # characters
MOST_WORDS, MOST_MISTYPED = 12, 4  # forgiving errors in many long words takes seconds
# What people type is matched best with a title, then with the words that we know they use for it.
FIELDS = {"title": 6, "keywords": 8, "headings": 3, "summary": 2, "body": 1}
EXACT, BEGINNING, MISTYPED = 12, 3, 2
LENGTH_MATTERS = 0.2  # 0 to 1: a page is not worse for having much to say
MOST = {"page": 6, "question": 5, "term": 2}  # of each kind, shown in this order


@dataclass(frozen=True)
class Hit:
    """A page, question or term that was found."""

    kind: str  # one of MOST
    path: str
    title: str
    text: str


class SearchIndex:
    """The index of one library, built once."""

    def __init__(self, library: Library) -> None:
        self._hits: dict[str, Hit] = {}
        builder = get_default_builder()
        builder.ref("id")
        builder.b(LENGTH_MATTERS)
        for name, boost in FIELDS.items():
            builder.field(name, boost)
        for document in [*self._pages(library), *self._questions(library), *self._terms(library)]:
            builder.add(document)
        self._index = builder.build()

    def find(self, text: str) -> list[Hit]:
        """The pages, single questions and terms that fit the text best, in this order, the best of each first."""
        words = [word[:LONGEST_WORD] for word in re.findall(r"[\w']+", text[:LONGEST_QUERY].lower())]
        telling = ([word for word in words if stop_word_filter(word)] or words)[:MOST_WORDS]
        if not telling:
            return []
        query, forgiven = self._index.create_query(), 0
        for word in telling:
            mistyped = len(word) >= 5 and forgiven < MOST_MISTYPED and not self._knows(word)
            forgiven += mistyped
            _add_word(query, word, mistyped)
        found = [self._hits[match["ref"]] for match in self._index.query(query)]
        return [hit for kind, most in MOST.items() for hit in [hit for hit in found if hit.kind == kind][:most]]

    def _knows(self, word: str) -> bool:
        return self._index.pipeline.run_string(word)[0] in self._index.inverted_index

    def _pages(self, library: Library) -> Iterator[dict[str, Any]]:
        for page in library.pages:
            self._hits[page.path] = Hit("page", page.path, page.about.title, page.about.summary)
            yield {
                "id": page.path,
                "title": page.about.title,
                "keywords": " ".join(page.about.keywords),
                "headings": " ".join([*(words for _, words in page.sections), *(q for q, _ in page.questions)]),
                "summary": " ".join([page.about.summary, *(answer for _, answer in page.glance)]),
                "body": page.source,
            }

    def _questions(self, library: Library) -> Iterator[dict[str, Any]]:
        for page in library.pages:
            for question, answer in page.questions:
                path = f"{page.path}#{_anchor_of(page, question)}"
                self._hits[path] = Hit("question", path, question, answer)
                yield {"id": path, "title": question, "keywords": "", "headings": "", "summary": "", "body": answer}

    def _terms(self, library: Library) -> Iterator[dict[str, Any]]:
        for id, entry in library.glossary.items():
            path = f"/search?q={id}#term-{id}"
            self._hits[path] = Hit("term", path, entry.term, entry.means)
            forms = " ".join([entry.term, *entry.also])
            yield {"id": path, "title": forms, "keywords": "", "headings": "", "summary": "", "body": entry.means}


def find_alarms(library: Library, text: str) -> list[Alarm]:
    """What to say first to somebody who searches for that: a text can name a crisis."""
    typed = re.findall(r"\w+", re.sub("['’]", "", text.lower()))
    return [alarm for alarm in library.alarms if any(_fits(phrase, typed) for phrase in alarm.typed)]


def _fits(phrase: str, typed: list[str]) -> bool:
    left = iter(typed)
    return all(any(fnmatchcase(word, wanted) for word in left) for wanted in phrase.split())


def _add_word(query: Query, word: str, mistyped: bool) -> None:
    query.term(word, boost=EXACT, presence=QueryPresence.OPTIONAL)
    if len(word) >= 3:
        query.term(word, boost=BEGINNING, use_pipeline=False, wildcard=Query.WILDCARD_TRAILING)
    if mistyped:
        query.term(word, boost=MISTYPED, edit_distance=2 if len(word) >= 8 else 1)


def _anchor_of(page: Page[Any], question: str) -> str:
    return next((id for id, words in page.anchors if words == question), "common-questions")
