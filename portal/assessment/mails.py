"""The letter that leads back to an assessment. It says nothing of the answers, not even what was asked."""

from __future__ import annotations

from uuid import UUID

from flask import url_for

from portal.assessment.services import get_resume_link
from portal.core import clock
from portal.notifications.letters import Letter, render_letter, write_letters_with


def init_app() -> None:
    write_letters_with("resume", write_resume)


def write_resume(link_id: UUID, _sequence: int) -> Letter | None:
    """Link and code; None once they have ended."""
    link = get_resume_link(link_id)
    if link is None or link.expires_at <= clock.now():
        return None
    code = link.secrets["code"]
    return render_letter(
        "resume",
        to=link.secrets["email"],
        resume_url=url_for("resume.show_link", token=link.secrets["token"], _external=True),
        code_url=url_for("resume.enter_code", _external=True),
        code=f"{code[:4]}-{code[4:]}",
        expires_at=link.expires_at,
    )
