"""What the one at the screen may see of patients, and what whoever looks over the shoulder does not."""

from __future__ import annotations

from typing import Protocol

from flask import session
from flask_login import current_user

from portal.accounts.services import StaffRole


class Named(Protocol):
    """Somebody with a name, such as a patient."""

    name: str


def is_masked() -> bool:
    """Whether this browser shows initials in place of names."""
    return bool(session.get("masked"))


def toggle_mask() -> None:
    """Show initials in place of names, or names again."""
    session["masked"] = not is_masked()


def who(patient: Named) -> str:
    """The patient's name as the screen shows it now: in full, or as initials like "J. D."."""
    return initials(patient.name) if is_masked() else patient.name


def initials(name: str) -> str:
    """The first letters of a name's first and last word."""
    words = name.split()
    return " ".join(f"{word[0]}." for word in (words[:1] + words[1:][-1:]))


def visible_provider_id() -> int | None:
    """Whose diary alone the one who is signed in may see: a clinician the own one; None where it is everybody's."""
    if any(current_user.has_role(role.value) for role in (StaffRole.FRONT_DESK, StaffRole.MANAGER)):
        return None
    provider_id: int | None = current_user.provider_id
    return provider_id
