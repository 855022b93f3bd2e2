"""Hand one mail to the mail server, telling the caller just before the point of no return."""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from portal.config import Settings

TIMEOUT = 30  # seconds for each answer of the server


class Refused(Exception):
    """The server will never take this mail (a 5xx answer)."""


class NotNow(Exception):
    """The mail did not leave, and trying again later makes sense."""


class Doubtful(Exception):
    """The connection broke after the final dot: the mail may have left or not."""


class LeaseLost(Exception):
    """Another worker has taken the mail over; this one must not send it."""


Committing = Callable[[], bool]


def deliver(settings: Settings, recipient: str, message: EmailMessage, committing: Committing) -> None:
    """Send the mail over SMTP; without an SMTP server, in development, put it in the data folder.

    `committing` is called when everything but the final dot has been said; it returns whether the mail is
    still this worker's to send. Raises Refused, NotNow, Doubtful or LeaseLost.
    """
    data = message.as_bytes()
    if not settings.smtp_url:
        _deliver_to_folder(settings.data_dir / "mail", message, data, committing)
        return
    try:
        with suppress_quit_errors(_connect(settings.smtp_url)) as server:
            _deliver_over(server, settings.sender, recipient, data, committing)
    except smtplib.SMTPResponseException as error:
        raise _by_code(error.smtp_code, error.smtp_error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotNow(f"{type(error).__name__}: {error}") from error


def mail_folder(settings: Settings) -> Path:
    """Where development mail is put."""
    return settings.data_dir / "mail"


class suppress_quit_errors:  # noqa: N801 - reads like contextlib's own
    """Close the connection at the end; what goes wrong then does not matter any more."""

    def __init__(self, server: smtplib.SMTP) -> None:
        self._server = server

    def __enter__(self) -> smtplib.SMTP:
        return self._server

    def __exit__(self, *_: object) -> None:
        with suppress(OSError, smtplib.SMTPException):
            self._server.quit()
        self._server.close()


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    context = ssl.create_default_context()
    host = parts.hostname or ""
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
        server.ehlo_or_helo_if_needed()
        if options.get("starttls") == "required" or server.has_extn("starttls"):
            server.starttls(context=context)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _deliver_over(server: smtplib.SMTP, sender: str, recipient: str, data: bytes, committing: Committing) -> None:
    server.ehlo_or_helo_if_needed()
    _expect(server.mail(sender), 250)
    _expect(server.rcpt(recipient), 250, 251)
    _expect(server.docmd("DATA"), 354)
    server.send(re.sub(rb"(?m)^\.", b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n"))
    if not committing():
        server.close()  # without the final dot nothing is delivered
        raise LeaseLost
    try:
        server.send(b".\r\n")
        code, answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise Doubtful(f"{type(error).__name__}: {error}") from error
    if code != 250:
        raise _by_code(code, answer)


def _expect(reply: tuple[int, bytes], *wanted: int) -> None:
    if reply[0] not in wanted:
        raise _by_code(*reply)


def _by_code(code: int, answer: bytes | str) -> Exception:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return Refused(f"{code} {text}") if 500 <= code < 600 else NotNow(f"{code} {text}")


def _deliver_to_folder(folder: Path, message: EmailMessage, data: bytes, committing: Committing) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not committing():
        raise LeaseLost
    name = re.sub(r"[^\w.-]", "_", message["Message-ID"].strip("<>"))
    (folder / f"{name}.eml").write_bytes(data)
