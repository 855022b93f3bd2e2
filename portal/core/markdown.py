"""Markdown to HTML, for text that we wrote ourselves: no raw HTML, citations, our own drawings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from mdit_py_plugins.anchors import anchors_plugin

CITATION = re.compile(r"\[@([\w-]+(?:;\s*@[\w-]+)*)\]")
# A wide table scrolls by itself on a phone, also by keyboard.
TABLE_OPEN = '<div class="table-scroll" role="region" aria-label="Table" tabindex="0"><table>'
TABLE_CLOSE = "</table></div>"


@dataclass
class Page:
    """A rendered text: its HTML, its headings (level, id, words), and the keys it cites, in order."""

    html: str
    headings: list[tuple[int, str, str]]
    cited: list[str] = field(default_factory=list)


def render_markdown(text: str, draw: Callable[[str], str]) -> Page:
    """Render Markdown. `[@key]` cites; `![words](source)` becomes what `draw(source)` returns.

    Raises what `draw` raises for a source that does not exist.
    """
    cited: list[str] = []
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": True})
    markdown.enable(["table", "replacements", "smartquotes"])
    markdown.use(anchors_plugin, max_level=3)
    markdown.inline.ruler.before("link", "citation", _parse_citation)
    markdown.add_render_rule("citation", lambda _self, tokens, index, *_: _render_citation(tokens[index], cited))
    markdown.add_render_rule("image", lambda _self, tokens, index, *_: _render_drawing(tokens[index], draw))
    markdown.add_render_rule("table_open", lambda *_: TABLE_OPEN)
    markdown.add_render_rule("table_close", lambda *_: TABLE_CLOSE)
    tokens = markdown.parse(text)
    _unwrap_drawings(tokens)
    return Page(markdown.renderer.render(tokens, markdown.options, {}), _headings(tokens), cited)


def _parse_citation(state: StateInline, silent: bool) -> bool:
    found = CITATION.match(state.src, state.pos)
    if found is None:
        return False
    if not silent:
        token = state.push("citation", "", 0)
        token.meta = {"keys": [key.strip().lstrip("@") for key in found[1].split(";")]}
    state.pos = found.end()
    return True


def _render_citation(token: Token, cited: list[str]) -> str:
    links = []
    for key in token.meta["keys"]:
        if key not in cited:
            cited.append(key)
        number = cited.index(key) + 1
        links.append(f'<a href="#reference-{number}" aria-label="Reference {number}">{number}</a>')
    return f'<sup class="citation">{", ".join(links)}</sup>'


def _render_drawing(token: Token, draw: Callable[[str], str]) -> str:
    return draw(str(token.attrs.get("src", "")))


def _unwrap_drawings(tokens: Sequence[Token]) -> None:
    """Take a drawing that stands alone out of its paragraph, where a figure may not be."""
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if token.type == "inline" and [child.type for child in token.children or ()] == ["image"]:
            before.hidden = after.hidden = True


def _headings(tokens: Sequence[Token]) -> list[tuple[int, str, str]]:
    found: list[tuple[int, str, str]] = []
    for token, following in pairwise(tokens):
        if token.type == "heading_open":
            attributes: dict[str, Any] = token.attrs
            found.append((int(token.tag[1]), str(attributes.get("id", "")), following.content))
    return found
