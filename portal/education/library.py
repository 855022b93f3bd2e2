"""The articles: Markdown files with checked front matter, rendered once and kept in memory."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import frontmatter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from yaml import YAMLError

from portal.core.markdown import render_markdown

CONTENT = Path(__file__).parent / "content"
WORDS_A_MINUTE = 200


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


class Glance(BaseModel):
    """What an article answers on its first screen."""

    model_config = ConfigDict(extra="forbid")

    could_it_be_mine: str
    is_it_dangerous: str
    what_to_do: str


class FrontMatter(BaseModel):
    """What stands above an article's text."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=70)]
    summary: Annotated[str, Field(max_length=220)]
    topic: str
    written: date
    reviewed: date | None = None
    reviewed_by: str | None = None
    review_due: date
    glance: Glance


@dataclass(frozen=True)
class Article:
    """An article, ready to show."""

    slug: str
    about: FrontMatter
    html: str
    sections: list[tuple[str, str]]  # id and words of each main heading
    references: list[Reference]
    minutes: int

    @property
    def reviewed_by(self) -> str:
        return self.about.reviewed_by or "awaiting review"


def load_articles(content: Path = CONTENT) -> dict[str, Article]:
    """Every article by its slug, newest first. Raises ContentError."""
    references = _load_references(content / "references.toml")
    articles = [_load_article(file, references) for file in sorted((content / "articles").glob("*.md"))]
    articles.sort(key=lambda article: article.about.written, reverse=True)
    return {article.slug: article for article in articles}


def _load_references(file: Path) -> dict[str, Reference]:
    try:
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
        return {key: Reference.model_validate(value) for key, value in raw.items()}
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise ContentError(f"{file}: {error}") from None


def _load_article(file: Path, references: dict[str, Reference]) -> Article:
    try:
        post = frontmatter.loads(file.read_text(encoding="utf-8"))
        about = FrontMatter.model_validate(post.metadata)
        page = render_markdown(post.content, lambda name: _drawing(file, name))
    except (YAMLError, ValidationError, ValueError) as error:
        raise ContentError(f"{file}: {error}") from None
    unknown = [key for key in page.cited if key not in references]
    if unknown:
        raise ContentError(f"{file}: cites {', '.join(unknown)}; add it to references.toml")
    return Article(
        slug=file.stem,
        about=about,
        html=page.html,
        sections=[(id, words) for level, id, words in page.headings if level == 2],
        references=[references[key] for key in page.cited],
        minutes=max(1, round(len(re.findall(r"\w+", post.content)) / WORDS_A_MINUTE)),
    )


def _drawing(file: Path, name: str) -> str:
    drawing = CONTENT / "drawings" / f"{name}.svg"
    if not re.fullmatch(r"[a-z-]+", name) or not drawing.is_file():
        raise ContentError(f"{file}: there is no drawing {name!r} in {drawing.parent}")
    return f'<figure class="drawing">{drawing.read_text(encoding="utf-8")}</figure>'
