"""What the command line, the desk and other features ask of referral links and journeys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import db
from portal.referrals.models import ReferralLink
from portal.referrals.pages import list_pages

BY_THE_PRACTICE = "the practice itself"  # who owns a link that nobody of the staff has made


def list_links() -> Sequence[ReferralLink]:
    """All referral links that are stored, by code."""
    return db.session.scalars(select(ReferralLink).order_by(ReferralLink.code)).all()


def find_link(code: str) -> ReferralLink | None:
    """The link of that code, live or not; a page's own link is stored when somebody first follows it."""
    code = code.strip().lower()
    if not code.isascii() or not code.isprintable():
        return None
    stored = db.session.get(ReferralLink, code)
    return stored or next((link for link in list_automatic_links() if link.code == code), None)


def list_automatic_links() -> list[ReferralLink]:
    """The link that each page has by itself, as it would be stored."""
    return [
        ReferralLink(code=page.code, label=page.label[:120], kind="article", destination=page.path, active=True)
        for page in list_pages()
        if page.code
    ]


def count_made_by_practices(within: timedelta) -> int:
    """How many links practices have made for themselves of late."""
    since = clock.now() - within
    made = select(func.count()).where(ReferralLink.owner == BY_THE_PRACTICE, ReferralLink.made_at > since)
    return db.session.scalar(made) or 0
