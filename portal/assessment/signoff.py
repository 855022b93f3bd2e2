"""Whether a clinician has signed off the rules in force."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from portal.assessment.rules import RULES_VERSION

FILE = Path(__file__).parent / "sign-off.toml"


@dataclass(frozen=True)
class SignOff:
    """The clinician who answers for the rules, and since when."""

    clinician: str
    date: str


@cache
def get_sign_off() -> SignOff | None:
    """The sign-off of the rules in force; None until a clinician's name and date stand in the file."""
    record = tomllib.loads(FILE.read_text(encoding="utf-8"))
    if record["rules_version"] != RULES_VERSION or not record["clinician"] or not record["date"]:
        return None
    return SignOff(record["clinician"], record["date"])
