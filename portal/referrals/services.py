"""Start journeys, note where they came from and what they reach, count who is not followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, bindparam, delete, insert, literal, select, update

from portal.core import clock
from portal.core.db import db, insert_into, insert_once, lock, run, transactional, transactional_for_now
from portal.referrals.days import today
from portal.referrals.models import DailyCount, Journey, LinkState, Milestone, ReferralLink
from portal.referrals.pages import find_page
from portal.referrals.queries import find_link

PAGE_PATH = re.compile(r"/(?:articles|treatments)/([a-z0-9-]{1,80})")
# Names of senders and numbers of referrals as SMART Scheduling Links gives them. Text of any other form, such as a
# mail address, is not kept.
SOURCE = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9._-]{1,40}")
BOOKING_REFERRAL = re.compile(r"[A-Za-z0-9_-]{1,80}")


class Reached(StrEnum):
    """The points of a journey that the owner counts. Their order gives each its bit: new ones come last."""

    LANDED = "landed"
    READ = "read"
    ASSESSMENT_STARTED = "assessment-started"
    ASSESSMENT_FINISHED = "assessment-finished"
    SLOTS_SEEN = "slots-seen"
    SLOT_HELD = "slot-held"
    BOOKED = "booked"
    ATTENDED = "attended"

    @property
    def bit(self) -> int:
        """This point in `Journey.reached`."""
        return 1 << list(Reached).index(self)


# In `Journey.reached`, but no point: whoever is on this journey is counted on another, until they book on this one.
COUNTED_ELSEWHERE = 1 << 30
BY_VISIT = Reached.BOOKED, Reached.ATTENDED


class NoSuchLink(LookupError):
    """There is no link of that code that leads anywhere now."""


ITS_WAY = ("started_at", "day", "link_code", "last_link_code", "article", "source", "booking_referral", "lane")
# Built once: each step of a journey sends them.
ITS_ID = Journey.id == bindparam("of_journey")
STARTED = select(Journey.started_at).where(ITS_ID)
TO_CHANGE = select(Journey.id).where(ITS_ID).with_for_update()
NOTE_REACHED = (
    update(Journey)
    .where(ITS_ID)
    .values(reached=Journey.reached.bitwise_or(bindparam("bit")))
    .execution_options(synchronize_session=False)
)
NOTE_LANE = NOTE_REACHED.values(lane=bindparam("its_lane"))
NOTE_BOOKED = NOTE_REACHED.values(
    minutes_to_book=bindparam("minutes"),
    reached=Journey.reached.bitwise_or(bindparam("bit")).bitwise_and(~COUNTED_ELSEWHERE),
)


@dataclass(frozen=True)
class Touch:
    """How somebody came: by a link, or sent by a program that names itself."""

    link: ReferralLink | None = None
    page: str | None = None  # the path of the page that it leads to
    source: str | None = None
    booking_referral: str | None = None

    @classmethod
    def by(cls, link: ReferralLink | None, page: str, source: str, booking_referral: str) -> Touch:
        """A touch of what a visitor brings along; what has a strange form is left out."""
        return cls(
            link,
            page,
            source if SOURCE.fullmatch(source) else None,
            booking_referral if BOOKING_REFERRAL.fullmatch(booking_referral) else None,
        )

    @property
    def leaves_a_trace(self) -> bool:
        """Whether it says anything of where somebody came from."""
        return bool(self.link or self.source or self.booking_referral)


@transactional
def start_journey(journey_id: UUID | None = None, article: str | None = None) -> UUID:
    """The journey of that id where there is one, else a new one; it began with that article if with none before."""
    journey = db.session.get(Journey, journey_id) if journey_id else None
    if journey is None:
        journey = Journey(started_at=clock.now(), reached=0)
        db.session.add(journey)
        db.session.flush()
    known = any(find_page(f"/{kind}/{article}") for kind in ("articles", "treatments"))
    if article and known and journey.article is None:
        journey.article = article
        reach(journey.id, Reached.READ)
    return journey.id


@transactional
def start_journey_by_code(code: str, journey_id: UUID | None = None) -> UUID:
    """The journey that somebody without a browser, such as a caller, starts or goes on with by the code of a link.

    Raises NoSuchLink.
    """
    link = find_link(code)
    if link is None or link.state != LinkState.LIVE:
        raise NoSuchLink(code)
    return arrive(Touch(link, link.destination), journey_id)


@transactional
def arrive(touch: Touch, journey_id: UUID | None) -> UUID:
    """The journey that somebody starts or goes on with by a touch.

    The first touch stays where the journey came from; the last one before the booking is kept beside it.
    """
    journey = db.session.get_one(Journey, start_journey(journey_id))
    if journey.reached & Reached.BOOKED.bit:
        return journey.id
    first = journey.link_code is None and journey.source is None
    if touch.link is not None:
        _store(touch.link)
        journey.last_link_code = touch.link.code
    if first:
        journey.link_code = touch.link.code if touch.link else None
        journey.source, journey.booking_referral = touch.source, touch.booking_referral
        found = PAGE_PATH.fullmatch(touch.page or "")
        journey.article = journey.article or (found[1] if found else None)
    reach(journey.id, Reached.LANDED)
    return journey.id


@transactional
def branch_journey(journey_id: UUID) -> UUID:
    """A new journey that came the same way as that one and as far, but for its visits.

    Only one of the two is counted: the new one, unless the other has booked or is counted elsewhere already.
    """
    lock_journey(journey_id)
    old = db.session.get_one(Journey, journey_id, populate_existing=True)
    branch = Journey(**{name: getattr(old, name) for name in ITS_WAY})
    branch.reached = old.reached & ~sum(point.bit for point in BY_VISIT)
    not_counted = branch if old.reached & (Reached.BOOKED.bit | COUNTED_ELSEWHERE) else old
    not_counted.reached |= COUNTED_ELSEWHERE
    db.session.add(branch)
    db.session.flush()
    _copy_milestones(old.id, branch.id)
    return branch.id


def _copy_milestones(old_id: UUID, new_id: UUID) -> None:
    copied = select(literal(new_id, Uuid), Milestone.kind, Milestone.lane, Milestone.at).where(
        Milestone.journey_id == old_id, Milestone.kind.not_in([point.value for point in BY_VISIT])
    )
    db.session.execute(insert(Milestone).from_select(["journey_id", "kind", "lane", "at"], copied))


def lock_journey(journey_id: UUID) -> None:
    """Let nobody else go on with a journey until the transaction ends: what is read from here on is the newest."""
    lock(TO_CHANGE, of_journey=journey_id)


@transactional_for_now
def reach(journey_id: UUID, point: Reached, lane: str | None = None) -> None:
    """Note that a journey has come to a point; coming there again changes nothing."""
    if not insert_once(Milestone, journey_id=journey_id, kind=point.value, lane=lane, at=clock.now()):
        return
    values = {"of_journey": journey_id, "bit": point.bit}
    if point is Reached.BOOKED:
        took = clock.now() - run(STARTED, of_journey=journey_id).scalar_one()
        run(NOTE_BOOKED, **values, minutes=took // timedelta(minutes=1))
    elif lane:
        run(NOTE_LANE, **values, its_lane=lane)
    else:
        run(NOTE_REACHED, **values)


def points_of(reached: int) -> set[Reached]:
    """The points that a journey has come to, by what is stored of them."""
    return {point for point in Reached if reached & point.bit}


@transactional
def take_back(journey_id: UUID, point: Reached) -> None:
    """Note that a journey has not come to a point after all."""
    db.session.execute(delete(Milestone).where(Milestone.journey_id == journey_id, Milestone.kind == point.value))
    before: dict[str, Any] = {"reached": Journey.reached.bitwise_and(~point.bit)}
    if point is Reached.BOOKED:
        before["minutes_to_book"] = None
    cleared = update(Journey).where(Journey.id == journey_id).values(**before)
    db.session.execute(cleared.execution_options(synchronize_session=False))


@transactional
def note_read(journey_id: UUID) -> None:
    """Note that a page was opened on a journey; nothing for a journey that is not known."""
    journey = db.session.get(Journey, journey_id)
    if journey is not None and not journey.reached & Reached.READ.bit:
        reach(journey_id, Reached.READ)


@transactional
def count_landing(what: str, link_code: str = "", source: str | None = None) -> None:
    """Count a landing of today that begins no journey."""
    add_counts(1, day=today(), what=what, link_code=link_code, source=source or "")


def add_counts(count: int, what: str, **alike: object) -> None:
    """Add to the count of a `day` and of journeys that are alike, within a transaction."""
    values = {column.key: "" for column in DailyCount.__table__.primary_key} | {"reached": 0}
    statement = insert_into(DailyCount).values({**values, "what": what, **alike, "count": count})
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=list(DailyCount.__table__.primary_key),
            set_={"count": DailyCount.count + statement.excluded.count},
        )
    )


def _store(link: ReferralLink) -> None:
    """A page's own link becomes a row when it is first followed."""
    names = ("code", "label", "kind", "destination", "active")
    insert_once(ReferralLink, **{name: getattr(link, name) for name in names}, made_at=clock.now())
