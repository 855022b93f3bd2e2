"""The letters to staff about their own account: an invitation, and what was changed."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from flask import Flask, url_for

from portal.accounts import invitations, news
from portal.accounts.queries import get_member
from portal.core import clock
from portal.core.crypto import new_token
from portal.notifications.letters import Letter, render_letter, sample_letters_with, write_letters_with
from portal.notifications.queries import list_mail_about
from portal.notifications.services import queue_mail
from portal.scheduling.queries import get_zone

NEWS = {
    "password-changed": "Your password for the front desk was changed.",
    "second-step-changed": "Your second step for the front desk, an app or a passkey, was changed.",
    "second-step-reset": "A manager has reset your second step. Sign in with your password and set it up anew.",
    "passkey-added": "A passkey was added to your account for the front desk.",
}
ABOUT_ACCOUNTS = frozenset({"invitation", *NEWS})  # the kinds of mail that managers decide on


def init_app(app: Flask) -> None:
    write_letters_with("invitation", write_invitation)
    sample_letters_with(write_samples)
    for what in NEWS:
        write_letters_with(what, partial(write_news, what))
    news.send_with(app, queue_mail)
    invitations.send_with(app, lambda invitation_id: queue_mail("invitation", invitation_id, sequence=0))


def write_invitation(invitation_id: UUID, _sequence: int) -> Letter | None:
    """The link to choose a password, and until when it works; None once the invitation has ended.

    A mail that is late, or is sent again, makes it last no longer.
    """
    user = invitations.get_invited(invitation_id)
    if user is None:
        return None
    token, until = invitations.sign(user, list_mail_about(invitation_id)[0].queued_at)
    return _letter(user.email, user.name, token, until) if clock.now() < until else None


def write_news(what: str, member_id: UUID, changed_at: int) -> Letter | None:
    """What was changed of somebody's account, and when; None once the account is closed."""
    user = get_member(member_id.int)
    return _news(what, user.email, user.name, changed_at) if user and user.active else None


def write_samples() -> dict[str, Letter]:
    """The letters as they look, with a link that leads nowhere."""
    now = int(clock.now().timestamp())
    changed = {what: _news(what, "jo@sample.example", "Jo Sample", now) for what in NEWS}
    return changed | {
        "invitation": _letter("jo@sample.example", "Jo Sample", new_token(), clock.now() + invitations.LASTS)
    }


def _letter(to: str, person: str, token: str, until: datetime) -> Letter:
    return render_letter(
        "invitation",
        to=to,
        person=person,
        welcome_url=url_for("welcome.choose_password", token=token, _external=True),
        until=until,
        zone=get_zone(),
    )


def _news(what: str, to: str, person: str, changed_at: int) -> Letter:
    moment = datetime.fromtimestamp(changed_at, UTC)
    return render_letter("account", to=to, person=person, what=NEWS[what], moment=moment, zone=get_zone())
