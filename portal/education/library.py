"""Everything there is to read: Markdown files with checked front matter, rendered once and kept in memory."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

import yaml
from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from portal.core.markdown import Figure, Text, read_markdown, render_markdown

CONTENT = Path(__file__).parent / "content"
WORDS_A_MINUTE = 200
FIGURES = {"drawing": ("drawings", ".svg"), "table": ("tables", ".md")}
FRONT_MATTER = re.compile(r"---\n(.*?)\n---\n", re.DOTALL)
OWN_PAGES = {"/", "/articles/", "/treatments/", "/specialists/", "/assessment/", "/book/", "/privacy", "/search"}
QUESTIONS_HEADING = "Common questions"


class ContentError(Exception):
    """A file of the library is wrong; the message says which, in what line, and what to write."""


class Entry(BaseModel):
    """Data of a file, in which a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


class Reference(Entry):
    """A published source. `doi`, `pmid`, `pmcid`, `bookshelf` or, for a web page, `url` make its link."""

    text: str
    year: int | None = None
    doi: str | None = None
    pmid: int | None = None
    pmcid: str | None = None
    bookshelf: str | None = None
    url: str | None = None

    @property
    def link(self) -> str | None:
        """Where the source can be read."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmcid:
            return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{self.pmcid}/"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        return f"https://www.ncbi.nlm.nih.gov/books/{self.bookshelf}/" if self.bookshelf else self.url


class GlossaryEntry(Entry):
    """A term, the other forms in which it is written, and what it means in plain words."""

    term: str
    also: list[str] = []
    means: str


class ArticleGlance(Entry):
    """What an article answers on its first screen."""

    could_it_be_mine: str
    is_it_dangerous: str
    what_to_do: str

    LABELS: ClassVar = ("Could it be mine?", "Is it dangerous?", "What do I do?")


class TreatmentGlance(Entry):
    """What a treatment page answers on its first screen."""

    what_is_it: str
    who_is_it_for: str
    how_well_does_it_work: str

    LABELS: ClassVar = ("What is it?", "Who is it for?", "How well does it work?")


class About(Entry):
    """What stands above the text of every page. `keywords` are other words that people search for."""

    kind: ClassVar[str]

    title: Annotated[str, Field(max_length=70)]
    summary: Annotated[str, Field(max_length=220)]
    topic: str
    keywords: list[str] = []
    written: date
    reviewed: date | None = None
    reviewed_by: str | None = None
    review_due: date


class AboutArticle(About):
    """An article; `pattern` is the headache pattern it is about, `first_stop` says who to see first."""

    kind = "articles"

    glance: ArticleGlance
    pattern: str | None = None
    next_step: Literal["assessment", "emergency"] = "assessment"
    first_stop: str | None = None


class AboutTreatment(About):
    """A treatment; `step` is its place on the ladder, the least invasive first."""

    kind = "treatments"

    glance: TreatmentGlance
    step: Annotated[int, Field(ge=1, le=9)]


AboutType = TypeVar("AboutType", bound=About)


@dataclass(frozen=True)
class Page(Generic[AboutType]):
    """A page of the library, ready to show."""

    slug: str
    about: AboutType
    html: str
    source: str  # its Markdown, for search and for checks
    anchors: list[tuple[str, str]]  # id and words of every heading
    sections: list[tuple[str, str]]  # those of the main ones
    questions: list[tuple[str, str]]  # the common questions, with their answers in plain text
    references: list[Reference]
    definitions: list[tuple[str, GlossaryEntry]]  # the terms explained on it
    drawing: str | None  # the name of its first drawing
    minutes: int

    @property
    def path(self) -> str:
        return f"/{self.about.kind}/{self.slug}"

    @property
    def reviewed_by(self) -> str:
        return self.about.reviewed_by or "awaiting review"

    @property
    def glance(self) -> list[tuple[str, str]]:
        """The questions of the first screen with their answers."""
        glance: Any = self.about.glance  # type: ignore[attr-defined]
        return list(zip(glance.LABELS, glance.model_dump().values(), strict=True))


Article = Page[AboutArticle]
Treatment = Page[AboutTreatment]


@dataclass(frozen=True)
class Library:
    """Everything there is to read, by slug: articles by title, treatments least invasive first."""

    articles: dict[str, Article]
    treatments: dict[str, Treatment]
    glossary: dict[str, GlossaryEntry]
    moved: dict[str, str]  # old address to new

    @property
    def pages(self) -> list[Page[Any]]:
        return [*self.articles.values(), *self.treatments.values()]


def load_library(content: Path = CONTENT) -> Library:
    """Read, check and render every page. Raises ContentError that names every mistake."""
    references = _load_table(content / "references.toml", Reference)
    glossary = _load_table(content / "glossary.toml", GlossaryEntry)
    files = {kind: sorted((content / kind).glob("*.md")) for kind in ("articles", "treatments")}
    known = OWN_PAGES | {f"/{kind}/{file.stem}" for kind, found in files.items() for file in found}
    problems: list[str] = []

    def load(kind: str, model: type[AboutType]) -> list[Page[AboutType]]:
        pages = (_load_page(file, model, problems, content, references, glossary, known) for file in files[kind])
        return [page for page in pages if page is not None]

    articles, treatments = load("articles", AboutArticle), load("treatments", AboutTreatment)
    if problems:
        raise ContentError("The library cannot be shown.\n" + "\n".join(problems))
    articles.sort(key=lambda article: (article.about.next_step != "emergency", article.about.title))
    treatments.sort(key=lambda treatment: treatment.about.step)
    return Library(
        {page.slug: page for page in articles},
        {page.slug: page for page in treatments},
        glossary,
        tomllib.loads((content / "moved.toml").read_text(encoding="utf-8")),
    )


EntryType = TypeVar("EntryType", bound=Entry)


def _load_table(file: Path, model: type[EntryType]) -> dict[str, EntryType]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return {key: model.model_validate(value) for key, value in raw.items()}
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ContentError(f"{file}: {error}") from None


def _load_page(
    file: Path,
    model: type[AboutType],
    problems: list[str],
    content: Path,
    references: Mapping[str, Reference],
    glossary: Mapping[str, GlossaryEntry],
    known: set[str],
) -> Page[AboutType] | None:
    source = file.read_text(encoding="utf-8")
    head = FRONT_MATTER.match(source)
    if head is None:
        problems.append(f"{file}:1: begin with front matter between two lines of ---")
        return None
    body, first_line = source[head.end() :], source[: head.end()].count("\n") + 1
    text = read_markdown(body, first_line)
    about = _read_about(file, head[1], model, problems)
    found = list(_find_mistakes(file, text, content, references, known))
    problems += found
    if about is None or found:
        return None
    terms = {form.lower(): id for id, entry in glossary.items() for form in (entry.term, *entry.also)}
    used: set[str] = set()
    return Page(
        slug=file.stem,
        about=about,
        html=render_markdown(text, partial(_draw, content), terms, used),
        source=body,
        anchors=[(id, words) for _, id, words in text.headings],
        sections=[(id, words) for level, id, words in text.headings if level == 2],
        questions=list(_questions(body)),
        references=[references[key] for key in text.cited],
        definitions=[(id, entry) for id, entry in glossary.items() if id in used],
        drawing=next((f.source.partition(":")[2] for f in text.figures if f.source.startswith("drawing:")), None),
        minutes=max(1, round(len(re.findall(r"\w+", body)) / WORDS_A_MINUTE)),
    )


def _read_about(file: Path, head: str, model: type[AboutType], problems: list[str]) -> AboutType | None:
    try:
        return model.model_validate(yaml.safe_load(head))
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 2 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 1
        problems.append(f"{file}:{line}: {getattr(error, 'problem', error)}")
    except ValidationError as error:
        for fault in error.errors():
            name = str(fault["loc"][-1]) if fault["loc"] else ""
            line = next((n for n, text in enumerate(head.split("\n"), 2) if text.strip().startswith(f"{name}:")), 1)
            problems.append(f"{file}:{line}: {'.'.join(map(str, fault['loc']))}: {fault['msg']}")
    return None


def _find_mistakes(
    file: Path, text: Text, content: Path, references: Mapping[str, Reference], known: set[str]
) -> Iterator[str]:
    anchors = {f"#{id}" for _, id, _ in text.headings}
    for line, key in text.citations:
        if key not in references:
            yield f"{file}:{line}: [@{key}] is no source; add it to references.toml"
    for line, href in text.links:
        path = href.partition("?")[0].partition("#")[0]
        if href.startswith("/") and path not in known:
            yield f"{file}:{line}: {href} is no page of ours"
        elif href.startswith("#") and href not in anchors:
            yield f"{file}:{line}: no heading on this page has the id {href}"
    for figure in text.figures:
        if not figure.alternative:
            yield f"{file}:{figure.line}: {figure.source} has no words; write ![what it shows]({figure.source})"
        if not _figure_file(content, figure.source):
            yield f"{file}:{figure.line}: {figure.source} does not exist; write drawing:name or table:name"


def _figure_file(content: Path, source: str) -> Path | None:
    kind, _, name = source.partition(":")
    if kind not in FIGURES or not re.fullmatch(r"[a-z-]+", name):
        return None
    folder, ending = FIGURES[kind]
    file = content / folder / f"{name}{ending}"
    return file if file.is_file() else None


def _draw(content: Path, figure: Figure) -> str:
    """What `![…](drawing:name)` and `![…](table:name)` stand for."""
    file = _figure_file(content, figure.source)
    assert file is not None  # checked before anything is rendered
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".md":
        return render_markdown(read_markdown(text), partial(_draw, content))
    return f'<figure class="drawing">{text}</figure>'


def read_drawing(name: str) -> Markup:
    """One of our own drawings, to stand in a page. Raises FileNotFoundError for one that does not exist."""
    return Markup((CONTENT / "drawings" / f"{name}.svg").read_text(encoding="utf-8"))  # noqa: S704 - our own file


def _questions(body: str) -> Iterator[tuple[str, str]]:
    """The questions below "Common questions" with their answers, without citations and markup."""
    _, _, part = body.partition(f"## {QUESTIONS_HEADING}\n")
    for block in part.split("\n### ")[1:]:
        question, _, answer = block.partition("\n")
        plain = re.sub(r"\s*\[@[^\]]*\]|[*_`]|\]\([^)]*\)|\[", "", answer)
        yield question.strip(), " ".join(plain.split())
