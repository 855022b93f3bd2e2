"""What people ask of the desk besides a free time: to be called, or a time that is not on offer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from portal import audit
from portal.assessment.rules import Lane
from portal.assessment.services import find_answers
from portal.assessment.triage import Evaluation, evaluate
from portal.booking.contact_hashes import hash_contact
from portal.booking.models import PatientRequest, RequestKind
from portal.booking.queries import has_visit
from portal.booking.wishes import Wishes
from portal.core import allowed, clock
from portal.core.db import db, insert_once, transactional
from portal.core.limits import EVERYBODY, current_source, mailbox_key, spend
from portal.notifications.models import MailState
from portal.notifications.queries import list_mail_about
from portal.notifications.services import Mailing, queue_mail, queue_mails
from portal.referrals.services import Reached, reach, take_back

BOOKED = "booked"  # the outcome of a request for which the desk has found a time

NO_ANSWER = "no-answer"
THANKS = "thanks"


@dataclass(frozen=True)
class Asked:
    """Who asks, how to reach them, and what would suit."""

    name: str
    phone: str
    wishes: Wishes
    note: str
    email: str | None = None


def lane_of(journey_id: UUID | None) -> Lane | None:
    """The lane of the answers so far, also of somebody who skipped the warning signs; None without any."""
    evaluation = _evaluate(journey_id)
    return evaluation.lane if evaluation else None


def _evaluate(journey_id: UUID | None) -> Evaluation | None:
    answers = find_answers(journey_id)
    return evaluate(answers) if answers else None


@transactional
def ask(
    kind: RequestKind,
    journey_id: UUID,
    asked: Asked,
    idempotency_key: str,
    referred: dict[str, Any] | None = None,
    prompt: bool = False,
) -> Lane | None:
    """Put a request on the desk's list, with how urgent the answers so far are; twice is once. Raises TooMany.

    Returns the lane of those answers, as `lane_of` does.
    `referred` says by whom somebody is referred, who may also say that it is urgent.
    """
    evaluation = _evaluate(journey_id)
    request_id, contact = uuid4(), hash_contact(email=asked.email, phone=asked.phone)
    inserted = insert_once(
        PatientRequest,
        id=request_id,
        kind=kind.value,
        journey_id=journey_id,
        name=asked.name,
        phone=asked.phone,
        email=asked.email,
        email_hash=contact["email_hash"],
        phone_hash=contact["phone_hash"],
        wishes=asked.wishes.to_json(),
        note=asked.note or None,
        lane=evaluation.lane if evaluation else None,
        prompt=prompt or bool(evaluation and evaluation.prompt),
        referred=referred,
        idempotency_key=idempotency_key,
        asked_at=clock.now(),
    )
    if inserted and asked.email:
        queue_mail("request", request_id, 0)
    if inserted:
        audit.services.record(f"{kind.value}-asked", f"journey:{journey_id}")
        spend(
            (allowed.REQUESTS_FOR_PHONE, asked.phone),
            (allowed.MAILS_TO_MAILBOX, mailbox_key(asked.email) if asked.email else None),
            (allowed.REQUESTS_OF_SOURCE, current_source()),
            (allowed.ALL_REQUESTS, EVERYBODY),
        )
    return evaluation.lane if evaluation else None


@transactional
def settle(request_id: UUID, outcome: str) -> bool:
    """Note how a request went: it leaves the list, but for a call that nobody answered. Whether it was still on it.

    Raises LookupError.
    """
    request = _get(request_id)
    if request.outcome is None:
        _settle(request, outcome)
        return True
    return False


@transactional
def settle_by_visit(request_id: UUID) -> bool:
    """Note that a visit was booked, whatever was noted of the request before; whether that was not noted yet.

    Raises LookupError.
    """
    request = _get(request_id)
    if request.outcome == BOOKED:
        return False
    _settle(request, BOOKED)
    return True


@transactional
def reopen(request_id: UUID) -> None:
    """Put a request that was settled back on the list, as if it had not been. Raises LookupError."""
    request = _get(request_id)
    if request.outcome == BOOKED and request.journey_id is not None:
        note_not_booked(request.journey_id)
    request.outcome = request.settled_at = None
    audit.services.record("request-reopened", f"request:{request_id}")


@transactional
def note_not_booked(journey_id: UUID) -> None:
    """Take back that a journey has led to a visit, unless one of it stands."""
    if not has_visit(journey_id):
        take_back(journey_id, Reached.BOOKED)


def _settle(request: PatientRequest, outcome: str) -> None:
    if outcome == NO_ANSWER:
        request.tries, request.tried_at = request.tries + 1, clock.now()
    else:
        request.outcome, request.settled_at = outcome, clock.now()
    if outcome == BOOKED:
        _note_booked(request)
    audit.services.record("request-settled", f"request:{request.id}", outcome=outcome)


def _note_booked(request: PatientRequest) -> None:
    if request.journey_id is not None:
        reach(request.journey_id, Reached.BOOKED)
    if request.referred and request.referred["email"]:
        _thank(request.id)


def _thank(request_id: UUID) -> None:
    """Write to the practice, with the patient's consent, once; three minutes later, in case it was a slip."""
    before = [mail for mail in list_mail_about(request_id) if mail.kind == THANKS]
    if all(mail.state in {MailState.SUPERSEDED, MailState.WITHHELD} for mail in before):
        queue_mails(request_id, len(before), Mailing(THANKS, may_undo=True))


def _get(request_id: UUID) -> PatientRequest:
    request = db.session.get(PatientRequest, request_id, with_for_update=True, populate_existing=True)
    if request is None:
        raise LookupError(request_id)
    return request
