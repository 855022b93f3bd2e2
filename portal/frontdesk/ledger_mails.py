"""On the first of a month each manager hears which links brought people in the month before."""

from __future__ import annotations

from datetime import date, time, timedelta
from uuid import UUID

from portal.accounts.queries import get_member, list_active
from portal.accounts.services import StaffRole
from portal.config import current_settings
from portal.core import clock
from portal.core.db import transactional
from portal.frontdesk.queries import get_today
from portal.notifications.letters import Letter, render_letter, sample_letters_with, write_letters_with
from portal.notifications.services import queue_mail
from portal.referrals import funnel, ledger, queries, report
from portal.scheduling.queries import get_zone

LAST_DAY, EARLIEST = 7, time(7)  # of the month, and of the day: who becomes a manager later waits for the next one
MOST_LINKS = 10


def init_app() -> None:
    write_letters_with("summary", write_summary)
    sample_letters_with(write_samples)


@transactional
def queue_summaries() -> int:
    """Queue last month's summaries, once for each manager; returns how many."""
    today, now = get_today(), clock.now().astimezone(get_zone())
    if today.day > LAST_DAY or (today.day == 1 and now.time() < EARLIEST):
        return 0
    month = _month_before(today).toordinal()
    return sum(queue_mail("summary", UUID(int=manager.id), month) for manager in list_active(StaffRole.MANAGER))


def write_summary(about_id: UUID, first_day: int) -> Letter | None:
    """A month's funnel and its links, small counts hidden; None for a month in which nobody came."""
    manager = get_member(about_id.int)
    if manager is None or not manager.active or not manager.has_role(StaffRole.MANAGER.value):
        return None
    return _letter(manager.email, date.fromordinal(first_day))


def write_samples() -> dict[str, Letter]:
    """The letter about this month so far, where anybody came."""
    letter = _letter("manager@sample.example", get_today().replace(day=1))
    return {"summary": letter} if letter else {}


def _letter(to: str, first: date) -> Letter | None:
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    found = ledger.read_ledger(first, last)
    if not found.total.people:
        return None
    labels = {link.code: link.label for link in (*queries.list_automatic_links(), *queries.list_links())}
    lines = [line for line in report.list_lines(found) if line.group and line.counts[report.PEOPLE] is not None]
    return render_letter(
        "summary",
        to=to,
        unsubscribe=f"mailto:{current_settings().sender}?subject=No%20monthly%20mail",
        month=f"{first:%B %Y}",
        rows=[row for row in funnel.list_rows(found.total) if not row.is_lane],
        lines=[(labels.get(line.group, line.group), line.counts) for line in lines[:MOST_LINKS]],
        ledger_url=f"{current_settings().address}/desk/referrals?since={first}&until={last}",
    )


def _month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
