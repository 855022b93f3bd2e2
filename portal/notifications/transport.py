"""Hand one mail to the mail server, telling the caller just before the point of no return."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesHeaderParser
from pathlib import Path
from smtplib import quoteaddr
from typing import Self
from urllib.parse import unquote, urlsplit

from portal.config import STARTTLS, Settings

TIMEOUT = 30  # seconds for each answer of the server
MOST_MAILS = 100  # over one connection
CLOSING = 421  # what a server answers that ends the connection


class Refused(Exception):
    """The server will never take this mail (a 5xx answer)."""


class NotNow(Exception):
    """The mail did not leave, and trying again later makes sense."""


class Doubtful(Exception):
    """The connection broke after the final dot: the mail may have left or not."""


class LeaseLost(Exception):
    """Another worker has taken the mail over; this one must not send it."""


Committing = Callable[[], bool]


class Courier:
    """Takes one mail after the other to the mail server, over one connection for as long as it holds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._carried = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def deliver(self, sender: str, recipient: str, message: bytes, committing: Committing) -> None:
        """Send the mail over SMTP; without an SMTP server, in development, put it in the data folder.

        `committing` is called when everything but the final dot has been said; it returns whether the mail is
        still this worker's to send. Raises Refused, NotNow, Doubtful or LeaseLost.
        """
        if not self._settings.smtp_url:
            _deliver_to_folder(mail_folder(self._settings), message, committing)
            return
        try:
            _say(self._announce(sender, recipient, len(message)), message, committing)
        except (Refused, NotNow):
            self._start_afresh()
            raise
        except (Doubtful, LeaseLost):
            self._drop()
            raise
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise NotNow(f"{error.smtp_code} {_text(error.smtp_error)}") from error
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            raise NotNow(f"{type(error).__name__}: {error}") from error
        except BaseException:
            self._drop()  # in the middle of a mail: nothing more can be said over this connection
            raise

    def _announce(self, sender: str, recipient: str, size: int) -> smtplib.SMTP:
        """A server that waits for the words of this mail; where the last connection has ended, over a new one."""
        if self._carried >= MOST_MAILS:
            self._hang_up()
        self._carried += 1
        if self._server is not None:
            try:
                _announce_over(self._server, sender, recipient, size)
                return self._server
            except (OSError, smtplib.SMTPException):
                self._drop()
        self._server, self._carried = _connect(self._settings.smtp_url), 1
        _announce_over(self._server, sender, recipient, size)
        return self._server

    def _start_afresh(self) -> None:
        """After a refusal the connection serves the next mail, unless the server has closed it."""
        if self._server is not None and not _is_alive(self._server):
            self._drop()

    def _hang_up(self) -> None:
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
        self._drop()

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._server = None


@dataclass(frozen=True)
class MailServer:
    """How a mail server was met: whether what is said to it is encrypted, and until when its certificate is good."""

    encrypted: bool
    good_until: datetime | None


def meet_server(url: str) -> MailServer:
    """Connect and sign in as for a mail, and leave. Raises OSError or SMTPException when that does not work."""
    server = _connect(url)
    try:
        certificate = server.sock.getpeercert() if isinstance(server.sock, ssl.SSLSocket) else None
    finally:
        server.close()
    if not certificate:
        return MailServer(False, None)
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return MailServer(True, datetime.fromtimestamp(ends, UTC))


def mail_folder(settings: Settings) -> Path:
    """Where development mail is put."""
    return settings.data_dir / "mail"


def _connect(url: str) -> smtplib.SMTP:
    parts = urlsplit(url)
    host = parts.hostname or ""
    server: smtplib.SMTP
    if parts.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
        server.ehlo_or_helo_if_needed()
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT)
        server.ehlo_or_helo_if_needed()
        if parts.query == STARTTLS or server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo_or_helo_if_needed()
    # The final dot is a packet of its own; else it waits until the mail before it is acknowledged, some 40 ms.
    assert server.sock is not None
    server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))
    return server


def _is_alive(server: smtplib.SMTP) -> bool:
    try:
        return server.rset()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _announce_over(server: smtplib.SMTP, sender: str, recipient: str, size: int) -> None:
    """Say who writes to whom: in one breath where the server listens so, which saves two of four round trips."""
    in_one_breath = server.has_extn("pipelining")
    about = f" size={size}" if server.has_extn("size") else ""
    commands = f"MAIL FROM:{quoteaddr(sender)}{about}", f"RCPT TO:{quoteaddr(recipient)}", "DATA"
    if any("\r" in command or "\n" in command for command in commands):
        raise ValueError("an address of several lines")
    if in_one_breath:
        server.send("".join(f"{command}\r\n" for command in commands))
    try:
        for command, wanted in zip(commands, [(250,), (250, 251), (354,)], strict=True):
            _expect(server.getreply() if in_one_breath else server.docmd(command), *wanted)
    except (Refused, NotNow):
        if in_one_breath:
            server.close()  # it may wait for words that there are not to be
        raise


def _say(server: smtplib.SMTP, data: bytes, committing: Committing) -> None:
    server.send(re.sub(rb"(?m)^\.", b"..", data) + (b"" if data.endswith(b"\r\n") else b"\r\n"))
    if not committing():
        server.close()  # without the final dot nothing is delivered
        raise LeaseLost
    try:
        server.send(b".\r\n")
        code, answer = server.getreply()
    except (OSError, smtplib.SMTPException) as error:
        raise Doubtful(f"{type(error).__name__}: {error}") from error
    if 400 <= code < 600:
        raise _by_code(code, answer)
    if not 200 <= code < 300:
        raise Doubtful(f"{code} {_text(answer)}")


def _expect(reply: tuple[int, bytes], *wanted: int) -> None:
    if reply[0] == CLOSING:
        raise smtplib.SMTPResponseException(*reply)
    if reply[0] not in wanted:
        raise _by_code(*reply)


def _by_code(code: int, answer: bytes | str) -> Exception:
    kind = Refused if 500 <= code < 600 else NotNow
    return kind(f"{code} {_text(answer)}")


def is_of_mail(words: str | None) -> bool:
    """Whether these words, kept of a mail that was put off, are an answer to that mail, such as of a full mailbox.

    Otherwise the server could not be spoken to, which is so for every mail.
    """
    return re.match(rf"(?!{CLOSING})4\d\d ", words or "") is not None


def _text(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _deliver_to_folder(folder: Path, message: bytes, committing: Committing) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if not committing():
        raise LeaseLost
    name = re.sub(r"[^\w.-]", "_", BytesHeaderParser().parsebytes(message)["Message-ID"].strip("<>"))
    (folder / f"{name}.eml").write_bytes(message)
