"""The letter that leads back to an assessment. It says nothing of the answers, not even what was asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from flask import url_for

from portal.assessment.services import get_resume_link
from portal.core import clock
from portal.core.crypto import new_code, new_token
from portal.notifications.letters import Letter, render_letter, sample_letters_with, write_letters_with


def init_app() -> None:
    write_letters_with("resume", write_resume)
    sample_letters_with(write_samples)


def write_resume(link_id: UUID, _sequence: int) -> Letter | None:
    """Link and code; None once they have ended."""
    link = get_resume_link(link_id)
    if link is None or link.expires_at <= clock.now():
        return None
    return _letter(link.secrets["email"], link.secrets["token"], link.secrets["code"], link.expires_at)


def write_samples() -> dict[str, Letter]:
    """The letter as it looks, with a link that leads nowhere."""
    return {"resume": _letter("jane@sample.example", new_token(), new_code(8), clock.now() + timedelta(days=1))}


def _letter(to: str, token: str, code: str, expires_at: datetime) -> Letter:
    return render_letter(
        "resume",
        to=to,
        resume_url=url_for("resume.show_link", token=token, _external=True),
        code_url=url_for("resume.enter_code", _external=True),
        code=f"{code[:4]}-{code[4:]}",
        expires_at=expires_at,
    )
