"""What there is to read: articles, treatments, their sources, the glossary. `loading` reads it from its files."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field


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


class Alarm(Entry):
    """What to say, and the number to tap, where somebody searches for a crisis; `typed` is how that is put.

    `article` tells more of it, where there is one.
    """

    words: str
    article: str | None = None
    label: str
    number: str
    typed: list[str]


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
    alarms: list[Alarm]  # the most urgent first

    @property
    def pages(self) -> list[Page[Any]]:
        return [*self.articles.values(), *self.treatments.values()]
