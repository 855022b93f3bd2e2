"""The link that opens a visit: it ends a while after the visit, or when the desk ends it, and can be made anew.

With it end the links of earlier times that were offered for the visit: they show it, too.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from portal import audit
from portal.booking.models import Appointment, Offer, OfferState
from portal.booking.queries import get_for_change
from portal.core import clock
from portal.core.crypto import new_token, token_hash
from portal.core.db import db, transactional
from portal.notifications.models import MailState
from portal.notifications.queries import list_mail_about
from portal.notifications.services import queue_mail, send_now

LASTS_AFTER_VISIT = timedelta(days=30)


class NotRenewable(Exception):
    """The visit is cancelled, or so long over that no link of it opens anything: nothing was done."""


def is_live(appointment: Appointment) -> bool:
    """Whether the visit's link opens anything now."""
    return appointment.link_ended_at is None and _may_live(appointment)


def can_renew(appointment: Appointment) -> bool:
    """Whether there can be a new link, and a letter with it: the visit is to come, or not long over."""
    return appointment.takes_slot and _may_live(appointment)


@transactional
def revoke(appointment_id: UUID) -> None:
    """End the visit's link, and what browsers may still see that have opened it."""
    end_link(get_for_change(appointment_id))
    audit.services.record("link-ended", f"appointment:{appointment_id}")


@transactional
def renew(appointment_id: UUID) -> bool:
    """Make another link, which ends the one before, and mail it; whether there is an address to mail it to.

    Raises NotRenewable.
    """
    appointment = get_for_change(appointment_id)
    if not can_renew(appointment):
        raise NotRenewable(appointment_id)
    make_link(appointment)
    audit.services.record("link-renewed", f"appointment:{appointment_id}")
    if appointment.patient.email is None:
        return False
    queue_mail("new-link", appointment_id, int(clock.now().timestamp()))
    return True


def make_link(appointment: Appointment) -> None:
    """Let another link open the visit in place of the one before, within a transaction.

    What is on offer for it is mailed once more: the links of those mails end, too.
    """
    token = new_token()
    appointment.token, appointment.token_hash, appointment.link_ended_at = token, token_hash(token), None
    for offer in db.session.scalars(select(Offer).join(Offer.entry).filter_by(appointment_id=appointment.id)):
        offer.token = new_token()
        offer.token_hash = token_hash(offer.token)
        if offer.state == OfferState.OPEN:
            for mail in list_mail_about(offer.id):
                if mail.state == MailState.SENT:
                    send_now(mail.id)


def end_link(appointment: Appointment) -> None:
    """Let no link open the visit, within a transaction; nothing of the old one is kept."""
    appointment.token, appointment.token_hash = "", token_hash(new_token())
    appointment.link_ended_at = clock.now()


def _may_live(appointment: Appointment) -> bool:
    return clock.now() < appointment.slot.ends_at + LASTS_AFTER_VISIT
