"""What whoever looks over the shoulder of the one at the screen sees of patients.

Lists have initials, and so has what a page says of anybody besides the one it is about. Names stay where somebody opens
a page to write, compare or read out a name: a patient's record, a call, the booked time, a brief.
"""

from __future__ import annotations

from typing import Protocol

from flask import session


class Named(Protocol):
    """Somebody with a name, such as a patient."""

    name: str


def is_masked() -> bool:
    """Whether lists in this browser show initials in place of names."""
    return bool(session.get("masked"))


def toggle_mask() -> None:
    """Let lists show initials in place of names, or names again."""
    session["masked"] = not is_masked()


def who(patient: Named) -> str:
    """The patient's name as the screen shows it now: in full, or as initials like "J. D."."""
    return initials(patient.name) if is_masked() else patient.name


def initials(name: str) -> str:
    """The first letters of a name's first and last word."""
    words = name.split()
    return " ".join(f"{word[0]}." for word in (words[:1] + words[1:][-1:]))
