"""The letter that invites somebody to the desk."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Flask, url_for

from portal.accounts import invitations
from portal.core import clock
from portal.core.crypto import new_token
from portal.notifications.letters import Letter, render_letter, sample_letters_with, write_letters_with
from portal.notifications.services import queue_mail
from portal.scheduling.queries import get_zone


def init_app(app: Flask) -> None:
    write_letters_with("invitation", write_invitation)
    sample_letters_with(write_samples)
    invitations.send_with(app, lambda invitation_id: queue_mail("invitation", invitation_id, sequence=0))


def write_invitation(invitation_id: UUID, _sequence: int) -> Letter | None:
    """The link to choose a password, and until when it works; None once the invitation has ended."""
    user = invitations.get_invited(invitation_id)
    if user is None:
        return None
    return _letter(user.email, user.name, *invitations.sign(user))


def write_samples() -> dict[str, Letter]:
    """The letter as it looks, with a link that leads nowhere."""
    return {"invitation": _letter("jo@sample.example", "Jo Sample", new_token(), clock.now() + invitations.LASTS)}


def _letter(to: str, person: str, token: str, until: datetime) -> Letter:
    return render_letter(
        "invitation",
        to=to,
        person=person,
        welcome_url=url_for("welcome.choose_password", token=token, _external=True),
        until=until,
        zone=get_zone(),
    )
