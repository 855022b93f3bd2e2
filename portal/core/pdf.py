"""Pages as PDF, by WeasyPrint; where its system libraries are missing there is only the page to print."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app

log = logging.getLogger(__name__)


class PdfUnavailable(RuntimeError):
    """The libraries that WeasyPrint needs (Pango) are not installed on this machine."""


@cache
def _weasyprint() -> Any:
    try:
        import weasyprint  # a second of work, and only some processes ever make a PDF
    except OSError as error:
        log.warning("no PDF on this machine: %s", error)
        return None
    return weasyprint


def pdf_available() -> bool:
    """Whether this machine can make PDFs."""
    return _weasyprint() is not None


def render_pdf(html: str, style: str) -> bytes:
    """The page as PDF, with one style sheet of static/css; nothing else is loaded, from anywhere.

    Raises PdfUnavailable.
    """
    weasyprint = _weasyprint()
    if weasyprint is None:
        raise PdfUnavailable
    sheet = weasyprint.CSS(filename=Path(str(current_app.static_folder)) / "css" / style)
    page = weasyprint.HTML(string=html, url_fetcher=weasyprint.urls.URLFetcher(allowed_protocols=()))
    return bytes(page.write_pdf(stylesheets=[sheet]))
