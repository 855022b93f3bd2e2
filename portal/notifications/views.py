"""`/dev/mail`: in development, the mail that would have been sent."""

from __future__ import annotations

import email
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, url_for

from portal.config import current_settings
from portal.core.htmx import render
from portal.notifications.letters import write_samples
from portal.notifications.mime import build_message
from portal.notifications.transport import mail_folder

blueprint = Blueprint("notifications", __name__, url_prefix="/dev/mail")


@blueprint.get("/")
def list_mail() -> Response:
    folder = mail_folder(current_settings())
    files = sorted(folder.glob("*.eml"), key=lambda file: -file.stat().st_mtime)
    mails = [(file.stem, _parse(file.read_bytes())) for file in files[:100]]
    return render("notifications/dev_mail.html", mails=mails, samples=list(write_samples()))


@blueprint.get("/preview/<sample>")
def preview(sample: str) -> Response:
    """One of the portal's letters as it would leave, in a state that it can be in."""
    message = _sample_or_404(sample)
    return _show(message, url_for(".preview_html", sample=sample))


@blueprint.get("/preview/<sample>/html")
def preview_html(sample: str) -> Response:
    return _show_html(_sample_or_404(sample))


@blueprint.get("/<name>")
def show_mail(name: str) -> Response:
    return _show(_parse(_file_or_404(name).read_bytes()), url_for(".show_html", name=name))


@blueprint.get("/<name>/html")
def show_html(name: str) -> Response:
    return _show_html(_parse(_file_or_404(name).read_bytes()))


def _show(message: EmailMessage, html_url: str) -> Response:
    text = message.get_body(("plain",))
    return render(
        "notifications/dev_mail_message.html",
        html_url=html_url,
        message=message,
        text=text.get_content() if text else "",
        source=message.as_string(),
    )


def _show_html(message: EmailMessage) -> Response:
    body = message.get_body(("html",))
    response = make_response(body.get_content() if body else "")
    # Mail brings its own inline styles, which pages of ours never do.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'"
    return response


def _sample_or_404(name: str) -> EmailMessage:
    letter = write_samples().get(name) or abort(404)
    return _parse(build_message(letter, f"<sample@{current_settings().host}>"))


def _file_or_404(name: str) -> Path:
    folder = mail_folder(current_settings())
    return next((file for file in folder.glob("*.eml") if file.stem == name), None) or abort(404)


def _parse(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=default)
    assert isinstance(message, EmailMessage)
    return message
