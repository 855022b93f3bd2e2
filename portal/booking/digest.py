"""In the evening, each clinician with an e-mail address hears of the next day."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from portal.booking.queries import list_visits_of_day
from portal.core import clock
from portal.core.db import transactional
from portal.notifications.services import queue_mail
from portal.scheduling.queries import NoClinic, get_clinic, list_digest_readers

DAY = timedelta(days=1)


@transactional
def queue_digests() -> int:
    """Queue the digests that are due by the clocks of each clinician's place tomorrow; returns how many."""
    try:
        clinic = get_clinic()
    except NoClinic:
        return 0
    queued = 0
    for provider in list_digest_readers():
        for day in {clock.now().date() + DAY * n for n in (0, 1, 2)}:
            visits = list_visits_of_day(provider.id, day)
            here = clock.now().astimezone(visits[0].slot.location.zone) if visits else None
            if here and here.date() + DAY == day and here.time() >= clinic.digest_time:
                queued += queue_mail("digest", UUID(int=provider.id), day.toordinal())
    return queued
