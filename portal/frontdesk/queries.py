"""The diary as the desk sees it; the desk owns no tables."""

from __future__ import annotations

from datetime import date

from portal.assessment.brief import Brief, write_brief
from portal.booking.models import Appointment
from portal.core import clock
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.queries import list_mail_about
from portal.scheduling.queries import get_zone


def get_today() -> date:
    """The day it is at the clinic."""
    return clock.today(get_zone())


def brief_of(appointment: Appointment) -> Brief | None:
    """What the visit's assessment says."""
    return write_brief(appointment.assessment) if appointment.assessment is not None else None


def list_mail_of(appointment: Appointment) -> list[OutgoingMail]:
    """The mails about a visit that have left or still can, oldest first: they are true, and somebody has an address."""
    true = [mail for mail in list_mail_about(appointment.id) if mail.state != MailState.SUPERSEDED]
    return [mail for mail in true if mail.recipient or appointment.patient.email]


def find_confirmation(appointment: Appointment) -> OutgoingMail | None:
    """The last of them that says when the visit is."""
    return next((mail for mail in reversed(list_mail_of(appointment)) if mail.kind in {"booked", "moved"}), None)
