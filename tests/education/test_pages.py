"""What every page of the library gives its reader, and what it tells machines."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import chain
from xml.etree import ElementTree

import pytest

from portal.education.check import HARDEST, check_page
from portal.education.loading import load_library
from tests.conftest import ROOT

LIBRARY = load_library()
PATHS = [page.path for page in LIBRARY.pages]
EMERGENCY = "/articles/when-a-headache-is-an-emergency"
SCHEMA = "http://schema.org/"
VOCABULARY = ROOT / "node_modules" / "@vocabulary" / "schema" / "schema.nq"


def page_at(path):
    return next(page for page in LIBRARY.pages if page.path == path)


def text_of(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


@pytest.mark.parametrize("path", PATHS)
def test_a_page_answers_the_first_questions_before_anything_else(visitor, path):
    html = visitor.open(path).text
    first_screen = html[: html.index('<nav class="contents"')]
    for question, answer in page_at(path).glance:
        assert f"<h2>{question}</h2>" in first_screen
        assert len(answer.split()) <= 45


@pytest.mark.parametrize("path", PATHS)
def test_a_page_says_when_to_get_help_now_and_that_it_is_no_advice(visitor, path):
    text = text_of(visitor.open(path).text)
    assert "911" in text
    assert "988" in text
    assert "This is general information, not medical advice." in text
    assert "medical review: awaiting review" in text
    assert "Next review due November 2027" in text


@pytest.mark.parametrize("path", PATHS)
def test_every_number_in_the_text_leads_to_a_source_and_every_source_is_used(visitor, path):
    html = visitor.open(path).text
    used = set(re.findall(r'href="#(reference-\d+)"', html))
    listed = re.findall(r'<li id="(reference-\d+)"', html)
    assert used == set(listed)
    assert len(listed) == len(set(listed)) >= 5


@pytest.mark.parametrize("path", PATHS)
def test_every_link_into_a_page_of_ours_arrives(visitor, path):
    html = visitor.open(path).text
    ids = set(re.findall(r'\bid="([^"]+)"', html))
    targets = set(re.findall(r'(?:popovertarget|aria-labelledby|aria-describedby)="([^"]+)"', html))
    assert set(chain.from_iterable(target.split() for target in targets)) <= ids
    for link in visitor.page.links:
        address, _, anchor = link.partition("#")
        if not address:
            assert anchor in ids, link
        elif address.startswith("/") and not address.startswith("/r/"):
            response = visitor.client.get(address, follow_redirects=True)
            assert response.status_code == 200, link
            assert not anchor or f'id="{anchor}"' in response.text, link


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_easy_to_read(path):
    report = check_page(page_at(path), page_at(path).about.written)
    assert report.grade <= HARDEST
    assert not [remark for remark in report.remarks if remark.startswith("a sentence of")]


def test_only_one_source_has_no_link():
    unlinked = {reference.text for page in LIBRARY.pages for reference in page.references if not reference.link}
    assert len(unlinked) <= 1, unlinked


def test_the_emergency_page_leads_to_911_and_not_to_a_booking(visitor):
    page = visitor.open(EMERGENCY)
    main = page.text[page.text.index("<main") : page.text.index("</main>")]
    assert '<a class="button alarm-button" href="tel:911">Call 911</a>' in main
    assert 'href="/book' not in main
    assert 'href="/assessment' not in main


def test_migraine_leads_to_the_assessment_and_names_the_family_doctor_first(visitor):
    page = visitor.open("/articles/migraine")
    next_step = page.text[page.text.index('id="next"') :]
    assert "the family doctor is the right first stop" in next_step
    assert 'href="/assessment/"' in next_step


def test_the_table_of_neck_migraine_and_tension_is_the_same_on_each_article_that_needs_it(visitor):
    tables = set()
    for slug in ("cervicogenic-headache", "migraine", "tension-type-headache"):
        html = visitor.open(f"/articles/{slug}").text
        tables.add(re.search(r"<figcaption>Neck, migraine or tension-type</figcaption>.*?</table>", html, re.DOTALL)[0])
    assert len(tables) == 1


def test_treatments_stand_on_a_ladder_least_invasive_first(visitor):
    page = visitor.open("/treatments/")
    links = [link.removeprefix("/treatments/") for link in page.links if re.match(r"/treatments/\w", link)]
    assert links == [
        "physical-therapy-and-exercise",
        "posture-and-ergonomics",
        "medicines",
        "diagnostic-nerve-blocks",
        "radiofrequency",
    ]


@pytest.mark.parametrize("name", ["referred-pain", "occipital-nerves", "trigeminal-divisions", "treatment-ladder",
                                  "diary-month", "controlled-block"])  # fmt: skip
def test_a_drawing_tells_its_content_and_takes_its_colors_from_the_page(name):
    file = ROOT / "portal" / "education" / "content" / "drawings" / f"{name}.svg"
    root = ElementTree.parse(file).getroot()
    space = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    named = root.get("aria-labelledby").split()
    assert [root.find(f"{space}title").get("id"), root.find(f"{space}desc").get("id")] == named
    assert len(root.find(f"{space}desc").text) > 100
    assert not re.search(r'(fill|stroke)="(?!none)', file.read_text()), "a color of its own"


def test_the_first_mention_of_a_term_opens_its_meaning_in_place(visitor):
    html = visitor.open("/articles/migraine").text
    assert html.count('popovertarget="term-cgrp"') == 1
    assert re.search(r'<div class="definition" id="term-cgrp" popover><strong>CGRP</strong>', html)


def test_a_page_is_shared_by_a_short_address_that_counts_as_its_own_link(visitor, desk):
    assert "http://127.0.0.1:8000/r/migraine" in visitor.open("/articles/migraine").text
    assert visitor.open("/r/migraine").path == "/articles/migraine"


@pytest.mark.parametrize("old", LIBRARY.moved)
def test_an_old_address_leads_to_the_new_one_for_good(visitor, old):
    response = visitor.client.get(old)
    assert response.status_code == 301
    assert visitor.open(old).path == LIBRARY.moved[old]


def test_a_page_that_never_was_is_not_found(visitor):
    assert visitor.open("/articles/nothing").status == 404
    assert visitor.open("/treatments/nothing/card.png").status == 404


# What machines are told


@cache
def vocabulary():
    """Of schema.org: the classes above each class, and the classes that may have each property."""
    above, domains = {}, {}
    for subject, predicate, target in re.findall(r"<([^>]+)> <([^>]+)> <([^>]+)>", VOCABULARY.read_text()):
        name = subject.removeprefix(SCHEMA)
        if predicate.endswith("#subClassOf"):
            above.setdefault(name, set()).add(target.removeprefix(SCHEMA))
        elif predicate.endswith("#type") and target.endswith("#Class"):
            above.setdefault(name, set())
        elif predicate.endswith("/domainIncludes"):
            domains.setdefault(name, set()).add(target.removeprefix(SCHEMA))
    return above, domains


def all_above(kind):
    above, _ = vocabulary()
    found, waiting = set(), [kind]
    while waiting:
        found.add(name := waiting.pop())
        waiting += above.get(name, ())
    return found


def mistakes_in(thing):
    """Types and properties that schema.org does not have, or not together."""
    if isinstance(thing, list):
        return [mistake for part in thing for mistake in mistakes_in(part)]
    if not isinstance(thing, dict):
        return []
    kind, found = thing.get("@type"), []
    if kind and kind not in vocabulary()[0]:
        found.append(f"no type {kind}")
    for name, value in thing.items():
        if kind and not name.startswith("@") and not vocabulary()[1].get(name, set()) & all_above(kind):
            found.append(f"{kind} has no {name}")
        found += mistakes_in(value)
    return found


def structured_data(html):
    return [
        json.loads(data) for data in re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    ]


def types_in(data):
    return {part.get("@type") for whole in data for part in whole.get("@graph", [whole])}


@pytest.mark.parametrize("path", [*PATHS, "/specialists/"])
def test_structured_data_is_of_the_vocabulary(visitor, path):
    data = structured_data(visitor.open(path).text)
    assert [mistake for part in data for mistake in mistakes_in(part)] == []
    wanted = {"MedicalClinic"} if path == "/specialists/" else {"MedicalWebPage", "FAQPage", "BreadcrumbList"}
    assert types_in(data) == wanted


def test_the_check_of_structured_data_finds_what_is_wrong():
    assert mistakes_in({"@type": "MedicalPage"})[0] == "no type MedicalPage"
    assert mistakes_in({"@type": "FAQPage", "mainEntity": [{"@type": "Question", "responce": "x"}]}) == [
        "Question has no responce"
    ]


@pytest.mark.parametrize("path", ["/", "/articles/", "/treatments/", "/specialists/", "/assessment/", *PATHS])
def test_a_page_names_itself_to_search_engines(visitor, path):
    html = visitor.open(path).text
    title = re.search(r"<title>(.*?)</title>", html)[1]
    description = re.search(r'<meta name="description" content="([^"]+)"', html)[1]
    assert 20 <= len(title) <= 110
    assert 50 <= len(description) <= 220
    assert f'<link rel="canonical" href="http://127.0.0.1:8000{path}">' in html
    assert '<html lang="en">' in html


def test_titles_and_descriptions_are_each_used_once(visitor):
    html = [visitor.open(path).text for path in ("/", "/articles/", "/treatments/", "/specialists/", *PATHS)]
    for pattern in (r"<title>(.*?)</title>", r'<meta name="description" content="([^"]+)"'):
        found = [re.search(pattern, page)[1] for page in html]
        assert len(found) == len(set(found))


def test_the_sitemap_names_every_page_with_its_day(visitor):
    root = ElementTree.fromstring(visitor.open("/sitemap.xml").response.data)
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    found = {entry.find(f"{space}loc").text: entry.find(f"{space}lastmod").text for entry in root}
    assert {f"http://127.0.0.1:8000{path}" for path in (*PATHS, "/", "/specialists/")} <= found.keys()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", day) for day in found.values())
    for address in found:
        assert visitor.open(address.removeprefix("http://127.0.0.1:8000")).status == 200


def test_the_feed_has_every_article_newest_first(visitor):
    response = visitor.open("/articles/feed.xml").response
    assert response.content_type == "application/atom+xml; charset=utf-8"
    space = "{http://www.w3.org/2005/Atom}"
    entries = ElementTree.fromstring(response.data).findall(f"{space}entry")
    assert {entry.find(f"{space}id").text.rpartition("/")[2] for entry in entries} == LIBRARY.articles.keys()
    for entry in entries:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00Z", entry.find(f"{space}updated").text)
        assert entry.find(f"{space}summary").text


def test_robots_are_kept_from_what_is_personal(visitor):
    text = visitor.open("/robots.txt").text
    for path in ("/visit/", "/desk/", "/book/", "/request/"):
        assert f"Disallow: {path}\n" in text
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in text


def test_a_shared_page_shows_a_picture_of_the_right_size(visitor):
    html = visitor.open("/articles/migraine").text
    address = re.search(r'<meta property="og:image" content="http://127.0.0.1:8000([^"]+)"', html)[1]
    response = visitor.client.get(address)
    assert response.content_type == "image/png"
    assert response.data[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(response.data[16:20]), int.from_bytes(response.data[20:24])) == (1200, 630)
    assert "public" in response.headers["Cache-Control"]
