"""Words as they are compared: capitals, accents and spaces do not count."""

from __future__ import annotations

import unicodedata


def search_key(words: str) -> str:
    """The words without capitals, accents and extra spaces, each with a space before it: " jose garcia"."""
    plain = unicodedata.normalize("NFKD", words.casefold())
    return " " + " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
