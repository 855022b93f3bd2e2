"""Numbers of rows, as addresses and forms give them: one that no database takes names nothing."""

from __future__ import annotations

from flask import Flask
from werkzeug import routing

MOST_DIGITS = 9
LARGEST = 10**MOST_DIGITS - 1


class IntegerConverter(routing.IntegerConverter):
    """`<int:...>` in a route: with more digits it is no address."""

    regex = rf"\d{{1,{MOST_DIGITS}}}"


def init_app(app: Flask) -> None:
    app.url_map.converters["int"] = IntegerConverter


def read_number(text: str | None) -> int | None:
    """The number that a form or an address gives; None for anything that is no row's."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else None
