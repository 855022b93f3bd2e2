"""Practices refer patients: one at a time, which becomes a task at the desk, or by a link of their own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select

from portal.booking import requests
from portal.booking.models import PatientRequest, RequestKind
from portal.booking.requests import Asked
from portal.core import allowed, clock
from portal.core.db import db, transactional
from portal.core.limits import EVERYBODY, current_source, spend
from portal.referrals.links import make_practice_link
from portal.referrals.queries import count_made_by_practices
from portal.referrals.services import NoSuchLink, start_journey_by_code

HOUR = timedelta(hours=1)
MOST_AN_HOUR = 60  # of everybody together; one source alone does not come so far
OWN_CODE = "refer"  # of the page itself, for practices without a link


class TooManyNow(Exception):
    """More came in an hour than people send: the rest are asked to call."""


@dataclass(frozen=True)
class Referral:
    """By whom somebody is referred, why, and where to say that a visit was booked, if the patient agreed to that."""

    practice: str
    phone: str
    reason: str
    soon: bool
    email: str | None = None


@transactional
def refer(patient: Asked, referral: Referral, code: str, key: str) -> None:
    """Put the patient on the desk's list; twice is once. Raises TooManyNow, TooMany."""
    if db.session.scalar(select(PatientRequest.id).where(PatientRequest.idempotency_key == key)) is not None:
        return
    lately = PatientRequest.asked_at > clock.now() - HOUR
    count = select(func.count()).where(PatientRequest.kind == RequestKind.REFERRAL, lately)
    if (db.session.scalar(count) or 0) >= MOST_AN_HOUR:
        raise TooManyNow
    requests.ask(
        RequestKind.REFERRAL, _start_journey(code), patient, key, referred=asdict(referral), prompt=referral.soon
    )


@transactional
def make_link(practice: str, key: str) -> str:
    """The code of a link for the practice's patients; twice is once. Raises TooManyNow, TooMany."""
    code, is_new = make_practice_link(practice, key)
    if is_new:
        if count_made_by_practices(HOUR) > MOST_AN_HOUR:
            raise TooManyNow
        spend((allowed.REQUESTS_OF_SOURCE, current_source()), (allowed.ALL_REQUESTS, EVERYBODY))
    return code


def _start_journey(code: str) -> UUID:
    try:
        return start_journey_by_code(code)
    except NoSuchLink:
        return start_journey_by_code(OWN_CODE)
