"""A form that carries what its reader saw, so that two people at one thing lose nothing."""

from __future__ import annotations

import json
from datetime import time
from typing import Any, NamedTuple

from wtforms import BooleanField, Field, HiddenField

from portal.core.edits import Values, find_changes
from portal.core.forms import BaseForm
from portal.core.pages import clock_in_words


class Difference(NamedTuple):
    """A field that somebody else has changed, and what this person wants in it; None where nothing."""

    label: str
    theirs: str
    mine: str | None


def dump(values: Values | None) -> str:
    """Values as they travel in a page; empty for what there is not yet."""
    return "" if values is None else json.dumps(values, sort_keys=True)


class SeenForm(BaseForm):
    """What is edited, with how it was when it was read."""

    seen = HiddenField()

    def read_seen(self) -> Values | None:
        """What was read; None for something new. A page that was tampered with has seen nothing that is stored."""
        if not self.seen.data:
            return None
        try:
            seen = json.loads(self.seen.data)
        except ValueError:
            seen = {}
        return seen if isinstance(seen, dict) else {}

    def take_over(self, stored: Values, mine: Values) -> list[Difference]:
        """Fill in what somebody else has changed where this person has not; returns all that they changed."""
        seen = self.read_seen() or {}
        differences = []
        for name in find_changes(seen, stored):
            theirs = self.in_words(name, stored[name])
            if mine.get(name) == seen.get(name):
                self[name].process(None, self.as_typed(name, stored[name]))
                differences.append(Difference(self.label_of(name), theirs, None))
            elif mine.get(name) != stored[name]:
                differences.append(Difference(self.label_of(name), theirs, self.in_words(name, mine.get(name))))
        self.seen.data = dump(stored)
        return differences

    def as_typed(self, name: str, value: Any) -> Any:
        """A value as it stands in its field."""
        return value

    def label_of(self, name: str) -> str:
        """What a field is called; its name, when the form has none of that name."""
        return str(self[name].label.text) if name in self else name.replace("_", " ")

    def in_words(self, name: str, value: Any) -> str:
        """A value of a field as people read it."""
        field: Field | None = self._fields.get(name)
        if isinstance(field, BooleanField):
            return "yes" if value else "no"
        if isinstance(value, list):
            return ", ".join(self.in_words(name, one) for one in value) or "nothing"
        if field is not None and field.render_kw and field.render_kw.get("type") == "time":
            return clock_in_words(time.fromisoformat(value))
        labels = {choice.value: choice.label for choice in getattr(field, "choices", None) or []}
        return str(labels.get(str(value), value)) if value not in (None, "") else "nothing"
