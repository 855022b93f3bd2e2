"""Writers: a mistake in a file is named with its line before anybody sees it; what is right shows at once."""

from __future__ import annotations

import os
import shutil

import pytest

from portal.education.cli import make_article
from portal.education.loading import CONTENT, ContentError, load_library
from portal.education.shelf import Shelf

ARTICLE = "articles/migraine.md"


@pytest.fixture
def content(tmp_path):
    """A copy of the library to spoil."""
    shutil.copytree(CONTENT, tmp_path / "content")
    return tmp_path / "content"


def change(file, old, new):
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("---\n", "", r"migraine\.md:1: begin with front matter between two lines of ---"),
        ("title:", "titel:", r"migraine\.md:2: titel: Extra inputs are not permitted"),
        ("written: 2026-11-22", "written: yesterday", r"migraine\.md:\d+: written: Input should be a valid date"),
        ("glance:\n", "glance: [\n", r"migraine\.md:\d+: .+"),
        ("  what_to_do:", "  what_now:", r"migraine\.md:\d+: glance\.what_now: Extra inputs"),
        ("[@ichd3]", "[@ichd9]", r"migraine\.md:\d+: \[@ichd9\] is no source; add it to references\.toml"),
        (
            "(table:neck-migraine-tension)",
            "(table:neck)",
            r"migraine\.md:54: table:neck does not exist; write drawing:name or table:name",
        ),
        (
            "![Neck, migraine or tension-type]",
            "![]",
            r"migraine\.md:54: table:neck-migraine-tension has no words; write !\[what it shows\]",
        ),
        (
            "## Common questions",
            "[more](/articles/megraine)\n\n## Common questions",
            r"/articles/megraine is no page of ours",
        ),
        ("## Common questions", "[up](#nowhere)\n\n## Common questions", r"has no heading with the id nowhere"),
        (
            "## Common questions",
            "[x](/articles/cluster-headache#nowhere)\n\n## Common questions",
            r"/articles/cluster-headache has no heading with the id nowhere",
        ),
    ],
)
def test_a_mistake_stops_the_start_with_file_line_and_what_to_write(content, old, new, complaint):
    change(content / ARTICLE, old, new)
    with pytest.raises(ContentError, match=complaint):
        load_library(content)


def test_every_mistake_is_named_at_once(content):
    change(content / ARTICLE, "[@ichd3]", "[@ichd9]")
    change(content / "treatments/medicines.md", "step:", "stap:")
    with pytest.raises(ContentError) as stopped:
        load_library(content)
    assert "ichd9" in str(stopped.value)
    assert "medicines.md" in str(stopped.value)


@pytest.mark.parametrize(
    ("name", "old", "new", "complaint"),
    [
        ("references.toml", "doi = ", "dio = ", r"references\.toml.*dio"),
        ("glossary.toml", "means = ", "mean = ", r"glossary\.toml"),
        ("moved.toml", '= "/articles/migraine"', '= "/articles/none"', r"moved\.toml: .* leads to /articles/none"),
    ],
)
def test_a_mistake_in_a_table_stops_the_start(content, name, old, new, complaint):
    if name == "moved.toml":
        with (content / name).open("a") as file:
            file.write('"/articles/old" = "/articles/migraine"\n')
    change(content / name, old, new)
    with pytest.raises(ContentError, match=f"(?s){complaint}"):
        load_library(content)


def test_a_drawing_without_words_stops_the_start(content):
    change(content / "drawings/referred-pain.svg", "<desc", "<dusc")
    with pytest.raises(ContentError, match="drawing:referred-pain needs <title> and <desc>"):
        load_library(content)


def test_an_edited_file_shows_at_once_in_development(content):
    shelf = Shelf(content)
    assert "A new sentence" not in shelf.library.articles["migraine"].html
    change(content / ARTICLE, "## Common questions", "A new sentence.\n\n## Common questions")
    os.utime(content / ARTICLE, (2e9, 2e9))  # a clock that stands between two writes must not hide the second
    shelf.look_again()
    assert "A new sentence" in shelf.library.articles["migraine"].html


@pytest.fixture
def run(app):
    return lambda *words: app.test_cli_runner().invoke(args=["education", *words])


def test_check_lists_grade_and_what_deserves_a_look(run):
    done = run("check")
    assert done.exit_code == 0
    assert "/articles/migraine: grade" in done.output
    assert "no clinician has reviewed it" in done.output
    assert "13 pages" in done.output
    assert run("check", "--strict").exit_code == 1


def test_new_makes_a_page_that_loads_and_never_overwrites_one(content):
    file = make_article("hemicrania-continua", content)
    assert load_library(content).articles["hemicrania-continua"].about.title == "Hemicrania continua"
    with pytest.raises(FileExistsError):
        make_article("hemicrania-continua", content)
    assert file.name == "hemicrania-continua.md"


@pytest.mark.parametrize("slug", ["../passwd", "Big", "two words", "-x", "ä", ""])
def test_new_refuses_what_cannot_be_an_address(run, slug):
    done = run("new", "--", slug)
    assert done.exit_code != 0
    assert "small letters" in done.output


def test_a_writer_sees_the_mistake_in_place_of_the_page_and_the_page_again_once_it_is_mended(
    app, visitor, content, monkeypatch
):
    monkeypatch.setitem(app.extensions, "portal.shelf", Shelf(content))
    written = (content / ARTICLE).read_text()
    change(content / ARTICLE, "[@ichd3]", "[@ichd9]")
    os.utime(content / ARTICLE, (2e9, 2e9))
    page = visitor.open("/articles/migraine")
    assert page.status == 500
    assert "[@ichd9] is no source" in page.text
    (content / ARTICLE).write_text(written)
    os.utime(content / ARTICLE, (2e9 + 1, 2e9 + 1))
    assert visitor.open("/articles/migraine").status == 200
