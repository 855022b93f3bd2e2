"""A clinician's visits as a calendar that other programs subscribe to. Its address is the key, and can be revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import contains_eager, defer, joinedload

from portal import audit
from portal.booking.calendar import build_feed
from portal.booking.models import TAKE_THE_SLOT, Appointment, CalendarFeed, Status
from portal.core import clock
from portal.core.crypto import new_token, token_hash
from portal.core.db import db, transactional
from portal.scheduling.models import Provider, Slot
from portal.scheduling.queries import get_provider

BACK, AHEAD = timedelta(days=30), timedelta(days=180)
SHOW_CANCELLED = timedelta(days=30)  # long enough for every program that subscribes to notice


@transactional
def renew(provider_id: int) -> str:
    """Give a clinician's calendar an address, and end the one before; returns the secret in it, which is not kept.

    Raises LookupError for a clinician who is unknown, or not active any more.
    """
    provider, feed = _get_for_change(provider_id)
    if not provider.active:
        raise LookupError(provider_id)
    token = new_token()
    fresh = CalendarFeed(provider_id=provider_id, token_hash=token_hash(token), made_at=clock.now(), read_at=None)
    db.session.merge(fresh)
    audit.services.record("calendar-renewed" if feed else "calendar-made", f"provider:{provider_id}")
    return token


@transactional
def revoke(provider_id: int) -> None:
    """End the address of a clinician's calendar; twice is once. Raises LookupError for an unknown clinician."""
    _, feed = _get_for_change(provider_id)
    if feed is not None:
        db.session.delete(feed)
        audit.services.record("calendar-revoked", f"provider:{provider_id}")


def list_feeds() -> list[tuple[Provider, CalendarFeed | None]]:
    """All clinicians by name, each with the calendar that can be subscribed to, where there is one."""
    rows = select(Provider, CalendarFeed).outerjoin(CalendarFeed, CalendarFeed.provider_id == Provider.id)
    return [(provider, feed) for provider, feed in db.session.execute(rows.order_by(Provider.name))]


def read(token: str) -> bytes | None:
    """The calendar of that address as iCalendar, and notes that it was read; None for one unknown or revoked.

    So it is for a clinician who is not active any more.
    """
    provider = db.session.scalar(
        select(Provider)
        .join(CalendarFeed, CalendarFeed.provider_id == Provider.id)
        .where(CalendarFeed.token_hash == token_hash(token), Provider.active)
    )
    if provider is None:
        return None
    calendar = build_feed(provider.name, _list_visits(provider.id))
    _note_read(token)
    return calendar


@transactional
def _note_read(token: str) -> None:
    # By the token, not the clinician: the address may have been renewed in the meantime.
    db.session.execute(
        update(CalendarFeed).where(CalendarFeed.token_hash == token_hash(token)).values(read_at=clock.now())
    )


def _get_for_change(provider_id: int) -> tuple[Provider, CalendarFeed | None]:
    provider = get_provider(provider_id)
    if provider is None:
        raise LookupError(provider_id)
    db.session.refresh(provider, with_for_update=True)  # there may be no row of the feed yet to lock
    return provider, db.session.get(CalendarFeed, provider_id, populate_existing=True)


def _list_visits(provider_id: int) -> Sequence[Appointment]:
    """What the calendar shows: visits that stand, and those cancelled lately, in order."""
    now = clock.now()
    cancelled = and_(Appointment.status == Status.CANCELLED, Appointment.changed_at >= now - SHOW_CANCELLED)
    return db.session.scalars(
        select(Appointment)
        .join(Appointment.slot)
        .where(Slot.provider_id == provider_id, Slot.starts_at.between(now - BACK, now + AHEAD))
        .where(or_(Appointment.status.in_(TAKE_THE_SLOT), cancelled))
        .options(contains_eager(Appointment.slot).joinedload(Slot.location), joinedload(Appointment.visit_type))
        .options(defer(Appointment.note), defer(Appointment.token))  # nothing is decrypted that is not shown
        .order_by(Slot.starts_at, Appointment.created_at)
    ).all()
