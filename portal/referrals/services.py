"""Start journeys and note what they reach."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete

from portal.core import clock
from portal.core.db import db, insert_once, transactional
from portal.referrals.models import Journey, Milestone, ReferralLink

LinkSource = Callable[[str], tuple[str, str, str] | None]
_sources: dict[str, LinkSource] = {}


class Reached(StrEnum):
    """The points of a journey that the owner counts."""

    LANDED = "landed"
    ASSESSMENT_STARTED = "assessment-started"
    ASSESSMENT_FINISHED = "assessment-finished"
    SLOTS_SEEN = "slots-seen"
    SLOT_HELD = "slot-held"
    BOOKED = "booked"
    ATTENDED = "attended"


@transactional
def start_journey(journey_id: UUID | None = None, article: str | None = None) -> UUID:
    """The journey of that id where there is one, else a new one that began with that article."""
    if journey_id and db.session.get(Journey, journey_id):
        return journey_id
    journey = Journey(started_at=clock.now(), article=article)
    db.session.add(journey)
    db.session.flush()
    return journey.id


@transactional
def follow_link(code: str, journey_id: UUID | None) -> tuple[str, UUID] | None:
    """Where an active link leads and the journey it starts or joins; None for a code that leads nowhere.

    The first link of a journey stays its link.
    """
    link = db.session.get(ReferralLink, code) or _automatic_link(code)
    if link is None or not link.active:
        return None
    journey = db.session.get(Journey, start_journey(journey_id))
    assert journey is not None
    if journey.link_code is None:
        journey.link_code = link.code
    reach(journey.id, Reached.LANDED)
    return link.destination, journey.id


def lead_links_by(source: LinkSource) -> None:
    """Let a feature give links to things that it has: a code's label, kind and destination, or None."""
    _sources[source.__qualname__] = source


def _automatic_link(code: str) -> ReferralLink | None:
    for source in _sources.values():
        if found := source(code):
            label, kind, destination = found
            insert_once(ReferralLink, code=code, label=label[:120], kind=kind, destination=destination, active=True)
            return db.session.get(ReferralLink, code)
    return None


@transactional
def reach(journey_id: UUID, point: Reached, lane: str | None = None) -> None:
    """Note that a journey has come to a point; coming there again changes nothing."""
    insert_once(Milestone, journey_id=journey_id, kind=point.value, lane=lane, at=clock.now())


@transactional
def take_back(journey_id: UUID, point: Reached) -> None:
    """Note that a journey has not come to a point after all."""
    db.session.execute(delete(Milestone).where(Milestone.journey_id == journey_id, Milestone.kind == point.value))


@transactional
def save_link(code: str, label: str, kind: str, destination: str) -> None:
    """Make a referral link or change the one of that code."""
    link = db.session.get(ReferralLink, code) or ReferralLink(code=code, active=True)
    link.label, link.kind, link.destination = label, kind, destination
    db.session.add(link)
