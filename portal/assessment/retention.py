"""How long answers are kept that no visit refers to, and links that lead back to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, select

from portal.assessment.models import Assessment, ResumeLink
from portal.core import retention
from portal.notifications.services import forget_recipients

KEEP_UNBOOKED_FOR = timedelta(days=30)  # told on the start page


def _find_unfinished(before: datetime) -> Select[UUID]:
    return _find(before).where(Assessment.finished_at.is_(None))


def _find_without_visit(before: datetime) -> Select[UUID]:
    return _find(before).where(Assessment.finished_at.is_not(None))


def _find(before: datetime) -> Select[UUID]:
    return select(Assessment.id).where(Assessment.started_at < before, ~Assessment.kept)


def _find_links(before: datetime) -> Select[UUID]:
    return select(ResumeLink.id).where(ResumeLink.expires_at < before)


UNFINISHED = retention.Rule(
    kind="unfinished-checks",
    what="Answers of a headache check that was not finished",
    since="the first answer",
    why="Long enough to go on with it another day.",
    keep=KEEP_UNBOOKED_FOR,
    find=_find_unfinished,
    remove=retention.delete_rows(Assessment.id),
)
WITHOUT_VISIT = retention.Rule(
    kind="checks-without-visit",
    what="Answers and result of a headache check that no visit followed",
    since="the first answer",
    why="Long enough to think it over, and book with these answers.",
    keep=KEEP_UNBOOKED_FOR,
    find=_find_without_visit,
    remove=retention.delete_rows(Assessment.id),
)
LINKS = retention.Rule(
    kind="resume-links",
    what="The address to which a link back to a headache check was mailed",
    since="the end of the link, at most seven days after it was mailed",
    why="It has done its work.",
    keep=timedelta(days=1),
    find=_find_links,
    remove=retention.delete_rows(ResumeLink.id, first=forget_recipients),
)
