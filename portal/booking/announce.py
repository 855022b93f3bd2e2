"""Which mail a visit's change causes: the news itself, and the reminders that are true from now on."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from portal.booking.models import Appointment
from portal.core import clock
from portal.notifications.queries import may_have_heard, was_told
from portal.notifications.services import Mailing, queue_mails, supersede_mail
from portal.scheduling.set_up import get_set_up

PREPARE_DAYS = 7  # before the visit; for one booked later than that, an hour after booking
SETTLE = timedelta(hours=1)
TOO_FRESH = timedelta(hours=12)  # whoever booked half a day before needs no reminder yet


def announce(appointment: Appointment, news: str, may_undo: bool = False) -> None:
    """Queue the news ("booked", "moved", "cancelled") of a visit; what waited about it is not true any more."""
    if news != "booked":  # of what was not there before, nothing waits
        appointment.ics_sequence += 1
        supersede_mail(appointment.id)
    reminders = _list_reminders(appointment) if news != "cancelled" else []
    queue_mails(appointment.id, appointment.ics_sequence, Mailing(news, may_undo=may_undo), *reminders)


def announce_restored(appointment: Appointment) -> None:
    """A visit is again as it was before its last change: who has not heard of that change hears nothing.

    Nor does anybody of a visit that has begun.
    """
    before, change = appointment.ics_sequence - 1, appointment.ics_sequence
    unheard = may_have_heard(appointment.id, change) or not was_told(appointment.id, before)
    to_come = appointment.slot.starts_at > clock.now()
    _announce_as_it_is(appointment, *([Mailing("booked")] if unheard and to_come else []))


def announce_anew(appointment: Appointment, may_undo: bool = False) -> None:
    """Say that a visit stands, to somebody who has not heard of it: its patient has an address now, or another."""
    _announce_as_it_is(appointment, Mailing("booked", may_undo=may_undo))


def _announce_as_it_is(appointment: Appointment, *news: Mailing) -> None:
    appointment.ics_sequence += 1
    supersede_mail(appointment.id)
    queue_mails(appointment.id, appointment.ics_sequence, *news, *_list_reminders(appointment))


def _list_reminders(appointment: Appointment) -> list[Mailing]:
    clinic, now, mailings = get_set_up().clinic, clock.now(), []
    for days in clinic.reminder_days:
        moment = _days_before(appointment, days, clinic.reminder_time)
        if now + TOO_FRESH < moment < appointment.slot.starts_at:
            mailings.append(Mailing(f"reminder:{days}", moment))
    if appointment.visit_type.preparation:
        moment = max(now + SETTLE, _days_before(appointment, PREPARE_DAYS, clinic.reminder_time))
        if moment < appointment.slot.starts_at - TOO_FRESH:
            mailings.append(Mailing("prepare", moment))
    return mailings


def _days_before(appointment: Appointment, days: int, wall: time) -> datetime:
    """The instant at which the clocks of the visit's place show that time, so many days before it."""
    zone = appointment.slot.location.zone
    day = appointment.slot.starts_at.astimezone(zone).date() - timedelta(days=days)
    try:
        return clock.instant(datetime.combine(day, wall), zone)
    except clock.NonexistentTime:
        return clock.instant(datetime.combine(day, wall) + timedelta(hours=1), zone)
