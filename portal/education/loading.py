"""From the files in `content/` to the library: read, checked and rendered once.

All files are read before any is rendered, so that a writer sees every mistake at once, with its file and line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Generic, TypeVar

import yaml
from click import ClickException
from markupsafe import Markup
from pydantic import ValidationError

from portal.core.markdown import Figure, Text, read_markdown, render_markdown
from portal.education.library import (
    AboutArticle,
    AboutTreatment,
    AboutType,
    Alarm,
    Entry,
    GlossaryEntry,
    Library,
    Page,
    Reference,
)

CONTENT = Path(__file__).parent / "content"
WORDS_A_MINUTE = 200
FIGURES = {"drawing": ("drawings", ".svg"), "table": ("tables", ".md")}
FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
OWN_PAGES = ("/", "/articles/", "/treatments/", "/specialists/", "/assessment/", "/book/", "/privacy", "/search")
QUESTIONS_HEADING = "Common questions"
EntryType = TypeVar("EntryType", bound=Entry)
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C takes a tenth of the time


class ContentError(ClickException):
    """A file of the library is wrong; the message says which, in what line, and what to write."""


@dataclass(frozen=True)
class Draft(Generic[AboutType]):
    """A page that has been read and not yet been rendered."""

    file: Path
    about: AboutType
    body: str
    text: Text

    @property
    def path(self) -> str:
        return f"/{self.about.kind}/{self.file.stem}"


def load_library(content: Path = CONTENT) -> Library:
    """The library of that folder. Raises ContentError that names every mistake."""
    return _Loading(content).load()


def read_drawing(name: str, content: Path = CONTENT) -> Markup:
    """One of our own drawings, to stand in a page. Raises FileNotFoundError for one that does not exist."""
    return Markup((content / "drawings" / f"{name}.svg").read_text(encoding="utf-8"))  # noqa: S704 - our own file


class _Loading:
    """One reading of the whole folder."""

    def __init__(self, content: Path) -> None:
        self._content = content
        self._references = _load_table(content / "references.toml", Reference)
        self._glossary = _load_table(content / "glossary.toml", GlossaryEntry)
        self._terms = {form.lower(): id for id, entry in self._glossary.items() for form in (entry.term, *entry.also)}
        self._problems: list[str] = []

    def load(self) -> Library:
        articles = list(self._read_folder(AboutArticle))
        treatments = list(self._read_folder(AboutTreatment))
        drafts: list[Draft[Any]] = [*articles, *treatments]
        anchors = self._anchors(drafts)
        for draft in drafts:
            self._problems += self._find_mistakes(draft, anchors)
        moved = self._load_moved(anchors)
        if self._problems:
            raise ContentError("The library cannot be shown.\n" + "\n".join(self._problems))
        articles.sort(key=lambda draft: (draft.about.next_step != "emergency", draft.about.title))
        treatments.sort(key=lambda draft: draft.about.step)
        return Library(
            {draft.file.stem: self._render(draft) for draft in articles},
            {draft.file.stem: self._render(draft) for draft in treatments},
            self._glossary,
            moved,
            list(_load_table(self._content / "alarms.toml", Alarm).values()),
        )

    def _read_folder(self, model: type[AboutType]) -> Iterator[Draft[AboutType]]:
        for file in sorted((self._content / model.kind).glob("*.md")):
            source = file.read_text(encoding="utf-8")
            head = FRONT_MATTER.match(source)
            if head is None:
                self._problems.append(f"{file}:1: begin with front matter between two lines of ---")
                continue
            body, first_line = source[head.end() :], source[: head.end()].count("\n") + 1
            try:
                about = model.model_validate(SafeLoader(head[1]).get_single_data())
                yield Draft(file, about, body, read_markdown(body, first_line))
            except (yaml.YAMLError, ValidationError) as error:
                self._problems += [f"{file}:{line}: {fault}" for line, fault in _faults(error, head[1])]

    def _anchors(self, drafts: Sequence[Draft[Any]]) -> dict[str, set[str] | None]:
        """Every page that can be linked to, with the ids of its headings where they are known."""
        found: dict[str, set[str] | None] = dict.fromkeys(OWN_PAGES)
        for kind in (AboutArticle.kind, AboutTreatment.kind):
            found |= dict.fromkeys(f"/{kind}/{file.stem}" for file in (self._content / kind).glob("*.md"))
        return found | {draft.path: {id for _, id, _ in draft.text.headings} for draft in drafts}

    def _find_mistakes(self, draft: Draft[Any], anchors: Mapping[str, set[str] | None]) -> Iterator[str]:
        file, text = draft.file, draft.text
        for line, key in text.citations:
            if key not in self._references:
                yield f"{file}:{line}: [@{key}] is no source; add it to references.toml"
        for line, href in text.links:
            if href.startswith(("/", "#")) and (mistake := _check_link(href, draft.path, anchors)):
                yield f"{file}:{line}: {mistake}"
        for figure in text.figures:
            if not figure.alternative:
                yield f"{file}:{figure.line}: {figure.source} has no words; write ![what it shows]({figure.source})"
            if mistake := _check_figure(_figure_file(self._content, figure.source)):
                yield f"{file}:{figure.line}: {figure.source} {mistake}"

    def _load_moved(self, anchors: Mapping[str, set[str] | None]) -> dict[str, str]:
        file = self._content / "moved.toml"
        moved: dict[str, str] = tomllib.loads(file.read_text(encoding="utf-8"))
        self._problems += [
            f"{file}: {old} leads to {new}, which is no page" for old, new in moved.items() if new not in anchors
        ]
        self._problems += [f"{file}: {old} is still a page" for old in moved if old in anchors]
        return moved

    def _render(self, draft: Draft[AboutType]) -> Page[AboutType]:
        text, used, title = draft.text, set[str](), draft.about.title.lower()
        terms = {form: id for form, id in self._terms.items() if form not in title}  # the page explains its own
        return Page(
            slug=draft.file.stem,
            about=draft.about,
            html=render_markdown(text, partial(_draw, self._content), terms, used),
            source=draft.body,
            anchors=[(id, words) for _, id, words in text.headings],
            sections=[(id, words) for level, id, words in text.headings if level == 2],
            questions=list(_questions(draft.body)),
            references=[self._references[key] for key in text.cited],
            definitions=[(id, entry) for id, entry in self._glossary.items() if id in used],
            drawing=next((f.source.partition(":")[2] for f in text.figures if f.source.startswith("drawing:")), None),
            minutes=max(1, round(len(re.findall(r"\w+", draft.body)) / WORDS_A_MINUTE)),
        )


def _load_table(file: Path, model: type[EntryType]) -> dict[str, EntryType]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return {key: model.model_validate(value) for key, value in raw.items()}
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ContentError(f"{file}: {error}") from None


def _faults(error: yaml.YAMLError | ValidationError, head: str) -> Iterator[tuple[int, str]]:
    """What is wrong with front matter, and in which line of its file."""
    if isinstance(error, yaml.YAMLError):
        mark = getattr(error, "problem_mark", None)
        yield mark.line + 2 if mark else 1, str(getattr(error, "problem", error))
        return
    lines = [line.strip() for line in head.split("\n")]
    for fault in error.errors():
        names = [str(part) for part in fault["loc"]]
        line = next((n for n, words in enumerate(lines, 2) if names and words.startswith(f"{names[-1]}:")), 1)
        yield line, f"{'.'.join(names)}: {fault['msg']}"


def _check_link(href: str, here: str, anchors: Mapping[str, set[str] | None]) -> str | None:
    """What is wrong with a link to a page of our own, or None."""
    address, _, anchor = href.partition("#")
    path = address.partition("?")[0] or here
    if path not in anchors:
        return f"{path} is no page of ours"
    ids = anchors[path]
    return f"{path} has no heading with the id {anchor}" if anchor and ids is not None and anchor not in ids else None


def _figure_file(content: Path, source: str) -> Path | None:
    kind, _, name = source.partition(":")
    if kind not in FIGURES or not re.fullmatch(r"[a-z-]+", name):
        return None
    folder, ending = FIGURES[kind]
    file = content / folder / f"{name}{ending}"
    return file if file.is_file() else None


def _check_figure(file: Path | None) -> str | None:
    """What is wrong with a figure, or None: a drawing tells its content to those who cannot see it."""
    if file is None:
        return "does not exist; write drawing:name or table:name"
    told = file.suffix != ".svg" or {"<title", "<desc"} <= set(re.findall(r"<(?:title|desc)", file.read_text("utf-8")))
    return None if told else "needs <title> and <desc> that say what it shows"


def _draw(content: Path, figure: Figure) -> str:
    """What `![…](drawing:name)` and `![…](table:name)` stand for."""
    file = _figure_file(content, figure.source)
    assert file is not None  # checked before anything is rendered
    text = file.read_text(encoding="utf-8")
    caption = f"<figcaption>{escape(figure.alternative)}</figcaption>"
    if file.suffix == ".md":
        return f"<figure>{caption}{render_markdown(read_markdown(text), partial(_draw, content))}</figure>"
    return f'<figure class="drawing">{text}{caption}</figure>'


def _questions(body: str) -> Iterator[tuple[str, str]]:
    """The questions below "Common questions" with their answers, without citations and markup."""
    _, _, part = body.partition(f"## {QUESTIONS_HEADING}\n")
    for block in part.split("\n### ")[1:]:
        question, _, answer = block.partition("\n")
        plain = re.sub(r"\s*\[@[^\]]*\]|[*_`]|\]\([^)]*\)|\[", "", answer)
        yield question.strip(), " ".join(plain.split())
