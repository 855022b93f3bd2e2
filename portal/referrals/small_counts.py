"""Counts under 5 are hidden, and so much beside them that nobody can work them out from the totals shown.

Whoever knows a total and all but one of its parts knows that one too. So no hidden part ever stands alone, and
what is hidden together comes to 5 at least; the smallest of the other parts is hidden where need be. All hidden
parts look alike. docs/decisions/0007-counting-people.md says what this cannot prevent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

SMALLEST = 5

Key = TypeVar("Key")
Family = TypeVar("Family")


def show(count: int) -> int | None:
    """A count that stands for itself; None when it is to be hidden."""
    return count if count >= SMALLEST else None


def show_falling(counts: Sequence[int]) -> list[int | None]:
    """Counts of which each holds the next; one is shown only where it differs from the last shown by none or enough."""
    shown: list[int | None] = []
    last = None
    for count in counts:
        safe = count >= SMALLEST and (last is None or count == last or last - count >= SMALLEST)
        shown.append(count if safe else None)
        last = count if safe else last
    return shown


def hide_parts(parts: Mapping[Key, int]) -> set[Key]:
    """Which parts of a known total are hidden."""
    hidden = {key for key, count in parts.items() if count < SMALLEST}
    return _hide_more(parts, hidden)


def hide_nested(families: Mapping[Family, Mapping[Key, int]]) -> tuple[set[Family], set[Key]]:
    """Which families, and which of their members, are hidden, where the sum of all families is known."""
    members = {family: hide_parts(parts) for family, parts in families.items()}
    totals = {family: sum(parts.values()) for family, parts in families.items()}
    unsafe = {family for family, hidden in members.items() if _tells(families[family], hidden)}
    lost = _hide_more(totals, unsafe | {family for family, total in totals.items() if total < SMALLEST})
    # A family's members add up to it: with the family, each of them is hidden.
    whole = (set(families[family]) for family in lost)
    return lost, set().union(*members.values(), *whole)


def _hide_more(parts: Mapping[Key, int], hidden: set[Key]) -> set[Key]:
    others = sorted(parts.keys() - hidden, key=lambda key: (parts[key], str(key)))
    while others and _tells(parts, hidden):
        hidden = hidden | {others.pop(0)}
    return hidden


def _tells(parts: Mapping[Key, int], hidden: set[Key]) -> bool:
    """Whether the sum of what is hidden gives a small count away. That nobody is in it tells of nobody."""
    together = sum(parts[key] for key in hidden)
    return together > 0 and (len(hidden) < 2 or together < SMALLEST)
