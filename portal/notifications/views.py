"""`/dev/mail`: in development, the mail that would have been sent."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from flask import Blueprint, Response, abort, make_response

from portal.config import current_settings
from portal.core.htmx import render
from portal.notifications.transport import mail_folder

blueprint = Blueprint("notifications", __name__, url_prefix="/dev/mail")


@blueprint.get("/")
def list_mail() -> Response:
    folder = mail_folder(current_settings())
    files = sorted(folder.glob("*.eml"), key=lambda file: -file.stat().st_mtime)
    return render("notifications/dev_mail.html", mails=[(file.stem, _read(file)) for file in files[:100]])


@blueprint.get("/<name>")
def show_mail(name: str) -> Response:
    message = _read(_file_or_404(name))
    text = message.get_body(("plain",))
    return render(
        "notifications/dev_mail_message.html",
        name=name,
        message=message,
        text=text.get_content() if text else "",
        source=message.as_string(),
    )


@blueprint.get("/<name>/html")
def show_html(name: str) -> Response:
    body = _read(_file_or_404(name)).get_body(("html",))
    response = make_response(body.get_content() if body else "")
    # Mail brings its own inline styles, which pages of ours never do.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _file_or_404(name: str) -> Path:
    folder = mail_folder(current_settings())
    return next((file for file in folder.glob("*.eml") if file.stem == name), None) or abort(404)


def _read(file: Path) -> EmailMessage:
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert isinstance(message, EmailMessage)
    return message
