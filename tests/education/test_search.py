"""Search finds what people type when their head hurts: everyday words, half-remembered names, typing errors."""

from __future__ import annotations

import re

import pytest

from portal.education.loading import load_library
from portal.education.search import SearchIndex, find_alarms

FIRST_PAGES = {
    "/articles/cervicogenic-headache": """
        head pain when I turn my neck / neck headache / headache from neck / cervicogenic / cervigogenic headache
        headache after car accident whiplash / is it my neck or migraine / pain behind the eye from neck""",
    "/articles/occipital-neuralgia": """
        occiptal / zaps in scalp / scalp hurts when i brush my hair / stabbing pain back of head
        electric shock in back of head / ocipital nuralgia""",
    "/articles/trigeminal-neuralgia": """
        electric shock in my face / trigeminal / trigemnal neuralga / tooth pain but dentist found nothing
        pain when wind touches my cheek""",
    "/articles/migraine": """
        migrane / throbbing headache and feeling sick / zigzag lines / light hurts my eyes headache
        sinus headache""",
    "/articles/tension-type-headache": """
        tight band around my head / stress headache / pressure on both sides of head""",
    "/articles/cluster-headache": """
        cluster / one eye waters and terrible pain at night / cluster hedache oxygen""",
    "/articles/medication-overuse-headache": """
        rebound headache / headache every day painkillers / too many pain pills""",
    "/articles/when-a-headache-is-an-emergency": """
        worst headache of my life / should i go to the ER / thunderclap / headache with fever and stiff neck
        headache after hitting my head / i want to die / suicidal thoughts / kill myself / suicide headache""",
    "/treatments/physical-therapy-and-exercise": "neck exercises / chiropractor",
    "/treatments/posture-and-ergonomics": "best pillow / text neck phone",
    "/treatments/medicines": "triptan / what can i take",
    "/treatments/diagnostic-nerve-blocks": "nerve block / injection in the neck",
    "/treatments/radiofrequency": """
        radio frequency ablation / burn the nerve / RFA / does the nerve grow back""",
}
QUERIES = [
    (query.strip(), page)
    for page, queries in FIRST_PAGES.items()
    for line in queries.strip().split("\n")
    for query in line.split("/")
]


@pytest.fixture(scope="module")
def index():
    return SearchIndex(load_library())


@pytest.mark.parametrize(("query", "page"), QUERIES, ids=[query for query, _ in QUERIES])
def test_an_everyday_query_finds_the_right_page_first(index, query, page):
    assert index.find(query)[0].path == page


def test_there_are_more_than_forty_everyday_queries():
    assert len(QUERIES) >= 40


@pytest.mark.parametrize(
    "query", ["", "   ", "the of and", "qwxzv", "title:neck", "+-~^*", "neck*^9~1", "\x00", "a" * 5000]
)
def test_odd_queries_are_ordinary_ones(index, query):
    assert isinstance(index.find(query), list)


def test_a_single_question_is_found_with_its_answer(visitor):
    page = visitor.open("/search?q=can+you+have+migraine+without+a+headache")
    link = page.link("#can-you-have-migraine-without-a-headache")
    assert 'id="can-you-have-migraine-without-a-headache"' in visitor.open(link).text


def test_a_word_of_the_glossary_is_explained_in_the_results(visitor):
    assert "A messenger that the nerves of the head use in migraine." in visitor.open("/search?q=CGRP").text


@pytest.mark.parametrize(
    ("number", "queries"),
    [
        ("988", "i want to die / kill myself / suicide / Suicidal thoughts / I don’t want to live / ending my life"),
        ("911", "numb face / face is numb / thunderclap / worst headache of my life / stroke / can't speak / weak arm"),
        (
            None,
            "migraine / neck pain / numb scalp / endless headache of my life / does it end at all / i want to live",
        ),
    ],
)
def test_who_searches_for_a_crisis_sees_the_number_to_call_first(visitor, number, queries):
    for query in queries.split(" / "):
        page = visitor.open("/search", query_string={"q": query})
        found, alarms, _ = page.text.partition('class="alarm"')
        assert re.findall('class="alarm">.*?tel:([0-9]+)', page.text, re.DOTALL) == ([number] if number else []), query
        assert not alarms or 'class="hits"' not in found


def test_no_everyday_search_of_a_headache_is_taken_for_a_crisis():
    library, emergency = load_library(), "/articles/when-a-headache-is-an-emergency"
    assert [query for query, page in QUERIES if page != emergency and find_alarms(library, query)] == []


def test_nothing_found_says_so_and_shows_every_page(visitor):
    page = visitor.open("/search?q=qwxzv")
    assert "Nothing found for “qwxzv”" in page.text
    assert {link for link in page.links if link.startswith("/articles/")} > {"/articles/migraine"}


def test_what_was_typed_comes_back_as_text(visitor):
    page = visitor.open("/search", query_string={"q": '"><script>alert(1)</script>'})
    assert "<script>alert" not in page.text


def test_results_while_typing_are_a_part_of_the_whole_page(visitor):
    whole = visitor.open("/search?q=neck").text
    part = visitor.client.get("/search?q=neck", headers={"HX-Request": "true"}).text.strip()
    assert part.startswith('<div id="results"')
    assert part in whole
