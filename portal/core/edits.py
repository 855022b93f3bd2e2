"""Two people who edit the same thing: a form carries what was read, and nobody's change is lost unseen."""

from __future__ import annotations

from typing import Any

Values = dict[str, Any]  # what a form edits, by the names of its fields, as JSON


class ChangedMeanwhile(Exception):
    """Somebody else has changed it since it was read; `stored` is how it is now."""

    def __init__(self, stored: Values) -> None:
        super().__init__("changed by somebody else in the meantime")
        self.stored = stored


def check_unchanged(seen: Values, stored: Values) -> None:
    """Go on only when what was read is what is stored. Raises ChangedMeanwhile."""
    if seen != stored:
        raise ChangedMeanwhile(stored)


def find_changes(old: Values, new: Values) -> dict[str, list[Any]]:
    """What is different, by name: how it was and how it is."""
    return {name: [old.get(name), value] for name, value in new.items() if old.get(name) != value}
