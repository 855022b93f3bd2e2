"""Markdown to HTML, for text that we wrote ourselves: no raw HTML, citations, our own figures, glossary terms.

Reading and rendering are two steps, so that what a text refers to can be checked, with its lines, before
anything is rendered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

CITATION = re.compile(r"\[@([\w-]+(?:;\s*@[\w-]+)*)\]")
# A wide table scrolls by itself on a phone, also by keyboard.
TABLE_OPEN = '<div class="table-scroll" role="region" aria-label="Table" tabindex="0"><table>'
TABLE_CLOSE = "</table></div>"
NO_TERMS_IN = {"heading_open", "th_open"}


class Mention(NamedTuple):
    """Something that a text refers to, and the line where it does."""

    line: int
    what: str


class Figure(NamedTuple):
    """A figure that a text asks for: where, from what source, and its words for those who cannot see it."""

    line: int
    source: str
    alternative: str


@dataclass
class Text:
    """A text that has been read: its headings (level, id, words) and all that it refers to."""

    tokens: list[Token]
    headings: list[tuple[int, str, str]]
    citations: list[Mention] = field(default_factory=list)
    links: list[Mention] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)

    @property
    def cited(self) -> list[str]:
        """The keys cited, each once, in the order in which they come first."""
        return list(dict.fromkeys(mention.what for mention in self.citations))


def read_markdown(text: str, first_line: int = 1) -> Text:
    """Read a text that begins on that line of its file. `[@key]` cites, `![words](source)` asks for a figure."""
    tokens = _parser().parse(text)
    read = Text(tokens, [(level, id, words) for level, id, words in _headings(tokens)])
    for block in tokens:
        line = first_line + (block.map[0] if block.map else 0)
        for token in block.children or ():
            if token.type == "citation":
                read.citations += [Mention(line, key) for key in token.meta["keys"]]
            elif token.type == "link_open":
                read.links.append(Mention(line, str(token.attrs["href"])))
            elif token.type == "image":
                read.figures.append(Figure(line, str(token.attrs["src"]), token.content))
    return read


def render_markdown(
    text: Text, draw: Callable[[Figure], str], terms: Mapping[str, str] = {}, used: set[str] | None = None
) -> str:
    """HTML of a text. `draw` gives the HTML of a figure; `terms` are words to explain, and the id of each.

    The first mention of a term becomes a button that opens its definition; `used` collects their ids.
    """
    parser = _parser()
    parser.add_render_rule("citation", lambda _self, tokens, index, *_: _citation(tokens[index], text.cited))
    figures = iter(text.figures)
    parser.add_render_rule("image", lambda *_: draw(next(figures)))
    parser.add_render_rule("term", lambda _self, tokens, index, *_: _term(tokens[index]))
    parser.add_render_rule("table_open", lambda *_: TABLE_OPEN)
    parser.add_render_rule("table_close", lambda *_: TABLE_CLOSE)
    tokens = list(_with_terms(text.tokens, terms, used if used is not None else set())) if terms else text.tokens
    _unwrap_figures(tokens)
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": True})
    parser.enable(["table", "replacements", "smartquotes"])
    parser.use(anchors_plugin, max_level=3)
    parser.inline.ruler.before("link", "citation", _parse_citation)
    return parser


def _parse_citation(state: StateInline, silent: bool) -> bool:
    found = CITATION.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        state.pending = state.pending.rstrip(" ")  # the number must not begin a line of its own
        token = state.push("citation", "", 0)
        token.meta = {"keys": [key.strip().lstrip("@") for key in found[1].split(";")]}
    state.pos = found.end()
    return True


def _citation(token: Token, cited: list[str]) -> str:
    numbers = [cited.index(key) + 1 for key in token.meta["keys"]]
    links = (f'<a href="#reference-{number}" aria-label="Reference {number}">{number}</a>' for number in numbers)
    return f'\N{NARROW NO-BREAK SPACE}<sup class="citation">{", ".join(links)}</sup>'


def _term(token: Token) -> str:
    return (
        f'<button type="button" class="term" popovertarget="term-{token.meta["id"]}">{escape(token.content)}</button>'
    )


def _with_terms(tokens: Sequence[Token], terms: Mapping[str, str], used: set[str]) -> Iterator[Token]:
    """The tokens, with the first mention of each term outside headings and links made a token of its own."""
    pattern = re.compile(rf"\b({'|'.join(sorted(map(re.escape, terms), key=len, reverse=True))})\b", re.IGNORECASE)
    before = ""
    for token in tokens:
        if token.type == "inline" and before not in NO_TERMS_IN:
            token = token.copy(children=list(_split_terms(token.children or [], pattern, terms, used)))
        before = token.type
        yield token


def _split_terms(
    children: Sequence[Token], pattern: re.Pattern[str], terms: Mapping[str, str], used: set[str]
) -> Iterator[Token]:
    depth = 0
    for child in children:
        depth += child.nesting if child.type.startswith("link") else 0
        if child.type != "text" or depth:
            yield child
            continue
        rest = child.content
        while found := next((m for m in pattern.finditer(rest) if terms[m[0].lower()] not in used), None):
            id = terms[found[0].lower()]
            used.add(id)
            yield Token("text", "", 0, content=rest[: found.start()])
            yield Token("term", "", 0, content=found[0], meta={"id": id})
            rest = rest[found.end() :]
        yield Token("text", "", 0, content=rest)


def _unwrap_figures(tokens: Sequence[Token]) -> None:
    """Take a figure that stands alone out of its paragraph, where a figure may not be."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.type == "inline" and [child.type for child in token.children or ()] == ["image"]:
            before.hidden = after.hidden = True


def _headings(tokens: Sequence[Token]) -> Iterator[tuple[int, str, str]]:
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            yield int(token.tag[1]), str(token.attrs.get("id", "")), following.content
