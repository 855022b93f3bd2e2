"""The picture that appears where somebody shares a page: its title beside its drawing."""

from __future__ import annotations

import re
import textwrap
from functools import lru_cache
from html import escape

import resvg_py

from portal.config import resource_folder
from portal.education.loading import CONTENT

WIDTH, HEIGHT = 1200, 630
COLORS = """
.line { stroke: #1f2f2e; fill: none } .nerve { stroke: #0b5f62; fill: none } .leader { stroke: #4b5a58; fill: none }
.felt { fill: #0b5f62; opacity: 0.2 } .relay { fill: #0b5f62 } .label { fill: #1f2f2e }
"""


@lru_cache(maxsize=64)
def render_card(title: str, topic: str, clinic: str, drawing: str | None) -> bytes:
    """A PNG of 1200 by 630 pixels. Its letters need a sans-serif font on the machine."""
    png: bytes = resvg_py.svg_to_bytes(
        svg_string=_card(title, topic, clinic, drawing),
        style_sheet=COLORS,
        sans_serif_family="DejaVu Sans",
        font_family="DejaVu Sans",
    )
    return bytes(png)


def _card(title: str, topic: str, clinic: str, drawing: str | None) -> str:
    lines = textwrap.wrap(title, 20)[:6]
    top = 315 - len(lines) * 33
    words = "".join(f'<tspan x="70" y="{top + 66 * n}">{escape(line)}</tspan>' for n, line in enumerate(lines, 1))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif">'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#faf7f2"/>'
        f'<text x="70" y="90" font-size="28" fill="#4b5a58">{escape(topic)}</text>'
        f'<text font-size="54" font-weight="bold" fill="#1f2f2e">{words}</text>'
        f'<text x="70" y="570" font-size="30" fill="#0b5f62">{escape(clinic)}</text>'
        f"{_placed(drawing) if drawing else _mark()}</svg>"
    )


def _mark() -> str:
    """The clinic's mark, for pages without a drawing."""
    mark = (resource_folder("templates") / "components" / "mark.svg").read_text(encoding="utf-8")
    style = 'fill="none" stroke="#0b5f62" stroke-width="1" stroke-linecap="round" stroke-linejoin="round"'
    return mark.replace("<svg", f'<svg x="760" y="140" width="340" height="340" {style}')


def _placed(drawing: str) -> str:
    """The drawing as an inner picture on the right half."""
    svg = (CONTENT / "drawings" / f"{drawing}.svg").read_text(encoding="utf-8")
    view = re.search(r'viewBox="([^"]+)"', svg)
    inner = re.search(r"<svg[^>]*>(.*)</svg>", svg, re.DOTALL)
    assert view is not None
    assert inner is not None
    return f'<svg x="680" y="75" width="470" height="480" viewBox="{view[1]}">{inner[1]}</svg>'
