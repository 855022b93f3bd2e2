"""A letter, and who knows how to write which kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from flask import render_template


@dataclass(frozen=True)
class Letter:
    """What a mail says, in text and HTML from the same facts, with a calendar entry where there is one."""

    to: str
    subject: str
    text: str
    html: str
    calendar: bytes | None = None
    calendar_method: str = "REQUEST"
    unsubscribe: str | None = None  # where whoever gets this letter can stop letters of its kind


Writer = Callable[[UUID, int], Letter | None]
_writers: dict[str, Writer] = {}
_samples: dict[str, Callable[[], dict[str, Letter]]] = {}


def write_letters_with(kind: str, writer: Writer) -> None:
    """Let a feature write the letters of a kind.

    The writer gets the id of what the mail is about and the sequence it was queued for; it returns None when
    the letter would not be true any more.
    """
    _writers[kind] = writer


def sample_letters_with(source: Callable[[], dict[str, Letter]]) -> None:
    """Let a feature show its letters in every state, for `/dev/mail/`."""
    _samples[source.__module__] = source


def write_samples() -> dict[str, Letter]:
    """Every letter that features show, by what it tells."""
    return {name: letter for source in _samples.values() for name, letter in source().items()}


def write_letter(kind: str, about_id: UUID, sequence: int) -> Letter | None:
    """The letter as it is true now, or None when it no longer is.

    A kind may have a colon: what follows it tells letters of one name apart, such as "reminder:3".
    """
    name, _, _ = kind.partition(":")
    return _writers[name](about_id, sequence)


def render_letter(
    name: str,
    to: str,
    calendar: bytes | None = None,
    calendar_method: str = "REQUEST",
    unsubscribe: str | None = None,
    **context: object,
) -> Letter:
    """The letter that the templates in templates/mail/<name>/ make of these facts."""
    subject, text, html = (
        render_template(f"mail/{name}/{part}", **context) for part in ("subject.txt", "body.txt", "body.html")
    )
    text = re.sub(r"\n{3,}", "\n\n", text.strip()) + "\n"  # templates leave holes
    return Letter(to, " ".join(subject.split()), text, html, calendar, calendar_method, unsubscribe)
