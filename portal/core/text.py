"""Words as they are typed and compared: capitals, accents, spaces and the kind of apostrophe do not count."""

from __future__ import annotations

import unicodedata

APOSTROPHES = "’\u2018\u02bc\u00b4`"  # what phones and keyboards write for the plain one
AS_PLAIN = str.maketrans(dict.fromkeys(APOSTROPHES, "'"))


def search_key(words: str) -> str:
    """The words without capitals, accents and extra spaces, each with a space before it: " jose o'brien"."""
    plain = unicodedata.normalize("NFKD", words.casefold().translate(AS_PLAIN))
    return " " + " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())
