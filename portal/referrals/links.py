"""Make and change referral links."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass, fields
from datetime import datetime

from pydantic_core import to_jsonable_python
from sqlalchemy import select

from portal import audit
from portal.core import clock
from portal.core.crypto import LETTERS, new_code, token_hash
from portal.core.db import db, insert_once, transactional
from portal.core.edits import Values, check_unchanged
from portal.referrals.models import ReferralLink
from portal.referrals.queries import BY_THE_PRACTICE, find_link

KINDS = {"article": "Article", "clinician": "Clinician", "partner": "Partner", "print": "Print", "campaign": "Campaign"}
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_CODE, LONGEST_WORDS = 40, 24  # characters
PRACTICES_LEAD_TO = "/assessment/"


class CodeTaken(ValueError):
    """Another link has this code."""


@dataclass(frozen=True)
class LinkFacts:
    """What staff say about a link."""

    label: str
    kind: str
    destination: str
    owner: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    active: bool = True


@transactional
def make_link(facts: LinkFacts, code: str | None = None) -> str:
    """Make a link and return its code, which is made from the label when none is given. Raises CodeTaken.

    Twice is once: a link with all the same facts is that one.
    """
    same = select(ReferralLink.code).filter_by(**asdict(facts), **({"code": code} if code else {}))
    if (made := db.session.scalar(same.limit(1))) is not None:
        return made
    if code is not None and find_link(code) is not None:
        raise CodeTaken(code)
    new = code or _unused_code(facts.label)
    if not insert_once(ReferralLink, code=new, **asdict(facts)):
        return make_link(facts, code)  # somebody was faster by a moment: now it can be seen
    audit.services.record("link-made", f"link:{new}", kind=facts.kind)
    return new


def read_facts(about: ReferralLink | LinkFacts) -> Values:
    """What can be changed of a link, as JSON."""
    values: Values = to_jsonable_python({field.name: getattr(about, field.name) for field in fields(LinkFacts)})
    return values


@transactional
def change_link(code: str, facts: LinkFacts, seen: Values) -> None:
    """Change everything about a link but its code, which may be in print. Raises LookupError and ChangedMeanwhile."""
    link = db.session.get(ReferralLink, code, with_for_update=True, populate_existing=True)
    if link is None:
        raise LookupError(code)
    check_unchanged(seen, read_facts(link))
    for name, value in asdict(facts).items():
        setattr(link, name, value)
    audit.services.record("link-changed", f"link:{code}", active=facts.active)


@transactional
def make_practice_link(practice: str, key: str) -> tuple[str, bool]:
    """The code of the link that a practice makes for itself, and whether it is new: a form sent twice makes one."""
    letters = "".join(LETTERS[int(c, 16)] for c in token_hash(key)[:4]).lower()
    code = f"{code_of(practice)}-{letters}"
    made = insert_once(
        ReferralLink,
        code=code,
        label=practice,
        kind="clinician",
        destination=PRACTICES_LEAD_TO,
        owner=BY_THE_PRACTICE,
        active=True,
        made_at=clock.now(),
    )
    if made:
        audit.services.record("link-made", f"link:{code}", kind="clinician")
    return code, made


@transactional
def save_link(code: str, label: str, kind: str, destination: str) -> None:
    """Make a referral link or change the one of that code, as the clinic's file says."""
    link = db.session.get(ReferralLink, code) or ReferralLink(code=code, active=True)
    link.label, link.kind, link.destination = label, kind, destination
    db.session.add(link)


def code_of(words: str) -> str:
    """A code that can be read, typed and said, from the first of these words."""
    plain = unicodedata.normalize("NFKD", words).encode("ascii", "ignore").decode().lower()
    code = ""
    for word in re.findall(r"[a-z0-9]+", plain):
        if len(code) + len(word) >= LONGEST_WORDS:
            break
        code = f"{code}-{word}" if code else word
    return code or "link"


def _unused_code(label: str) -> str:
    code = code_of(label)
    return code if find_link(code) is None else f"{code}-{new_code(3).lower()}"
