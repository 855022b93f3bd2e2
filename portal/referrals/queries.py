"""What the command line and the desk ask of referral links."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from portal.core.db import db
from portal.referrals.models import ReferralLink


def list_links() -> Sequence[ReferralLink]:
    """All referral links, by code."""
    return db.session.scalars(select(ReferralLink).order_by(ReferralLink.code)).all()
