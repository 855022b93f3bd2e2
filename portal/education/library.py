"""The articles: Markdown files with checked front matter, rendered once and kept in memory."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

import frontmatter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml import YAMLError

from portal.core.markdown import render_markdown

CONTENT = Path(__file__).parent / "content"
WORDS_A_MINUTE = 200
FIGURES = {"drawing": ("drawings", ".svg"), "table": ("tables", ".md")}


class ContentError(Exception):
    """A file of the library is wrong; the message says which, and what to write."""


class Reference(BaseModel):
    """A published source. `doi`, `pmid` or `pmcid` make its link."""

    model_config = ConfigDict(extra="forbid")

    text: str
    year: int | None = None
    doi: str | None = None
    pmid: int | None = None
    pmcid: str | None = None
    bookshelf: str | None = None

    @property
    def link(self) -> str | None:
        """Where the source can be read."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmcid:
            return f"https://www.ncbi.nlm.nih.gov/pmc/articles/{self.pmcid}/"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        return f"https://www.ncbi.nlm.nih.gov/books/{self.bookshelf}/" if self.bookshelf else None


class Entry(BaseModel):
    """Front matter, in which a name that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


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
    """What stands above the text of every page."""

    title: Annotated[str, Field(max_length=70)]
    summary: Annotated[str, Field(max_length=220)]
    topic: str
    written: date
    reviewed: date | None = None
    reviewed_by: str | None = None
    review_due: date


class AboutArticle(About):
    """An article; `pattern` is the headache pattern it is about, `first_stop` says who to see first."""

    glance: ArticleGlance
    pattern: str | None = None
    next_step: Literal["assessment", "emergency"] = "assessment"
    first_stop: str | None = None


class AboutTreatment(About):
    """A treatment; `step` is its place on the ladder, the least invasive first."""

    glance: TreatmentGlance
    step: Annotated[int, Field(ge=1, le=9)]


AboutType = TypeVar("AboutType", bound=About)


@dataclass(frozen=True)
class Page(Generic[AboutType]):
    """A page of the library, ready to show."""

    slug: str
    about: AboutType
    html: str
    sections: list[tuple[str, str]]  # id and words of each main heading
    references: list[Reference]
    minutes: int

    @property
    def reviewed_by(self) -> str:
        return self.about.reviewed_by or "awaiting review"


Article = Page[AboutArticle]
Treatment = Page[AboutTreatment]


@dataclass(frozen=True)
class Library:
    """Everything there is to read, by slug: articles newest first, treatments least invasive first."""

    articles: dict[str, Article]
    treatments: dict[str, Treatment]


def load_library(content: Path = CONTENT) -> Library:
    """Read and render every page. Raises ContentError."""
    references: dict[str, Reference] = {}
    for file in sorted(content.glob("references*.toml")):
        references |= _load_references(file)
    articles = [_load_page(file, AboutArticle, references) for file in sorted((content / "articles").glob("*.md"))]
    treatments = [
        _load_page(file, AboutTreatment, references) for file in sorted((content / "treatments").glob("*.md"))
    ]
    articles.sort(key=lambda article: article.about.written, reverse=True)
    treatments.sort(key=lambda treatment: treatment.about.step)
    return Library({page.slug: page for page in articles}, {page.slug: page for page in treatments})


def _load_references(file: Path) -> dict[str, Reference]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return {key: Reference.model_validate(value) for key, value in raw.items()}
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ContentError(f"{file}: {error}") from None


def _load_page(file: Path, model: type[AboutType], references: dict[str, Reference]) -> Page[AboutType]:
    try:
        post = frontmatter.loads(file.read_text(encoding="utf-8"))
        about = model.model_validate(post.metadata)
        page = render_markdown(post.content, lambda source: _figure(file, source))
    except (YAMLError, ValidationError, ValueError) as error:
        raise ContentError(f"{file}: {error}") from None
    unknown = [key for key in page.cited if key not in references]
    if unknown:
        raise ContentError(f"{file}: cites {', '.join(unknown)}; add it to references.toml")
    return Page(
        slug=file.stem,
        about=about,
        html=page.html,
        sections=[(id, words) for level, id, words in page.headings if level == 2],
        references=[references[key] for key in page.cited],
        minutes=max(1, round(len(re.findall(r"\w+", post.content)) / WORDS_A_MINUTE)),
    )


def _figure(file: Path, source: str) -> str:
    """What `![…](drawing:name)` and `![…](table:name)` stand for."""
    kind, _, name = source.partition(":")
    if kind not in FIGURES or not re.fullmatch(r"[a-z-]+", name):
        raise ContentError(f"{file}: {source!r}: write ![what it shows](drawing:name) or (table:name)")
    folder, ending = FIGURES[kind]
    found = CONTENT / folder / f"{name}{ending}"
    if not found.is_file():
        raise ContentError(f"{file}: there is no {found}")
    text = found.read_text(encoding="utf-8")
    if kind == "table":
        return render_markdown(text, lambda inner: _figure(found, inner)).html
    return f'<figure class="drawing">{text}</figure>'
