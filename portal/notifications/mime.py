"""A letter as the bytes of a mail: text, HTML and calendar as alternatives, the calendar attached as well.

The parts differ in nothing but their content, so they are put together here: the library's EmailMessage works out
each of their headers anew and takes ten times as long. What somebody may have typed, it still makes a header of.
"""

from __future__ import annotations

import base64
import binascii
from email.headerregistry import Address
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache

from flask import render_template

from portal.config import current_settings
from portal.core import clock
from portal.core.kept import kept
from portal.notifications.letters import Letter

WIDE = SMTP.clone(max_line_length=998)  # one long address must not be encoded to be folded
MIXED, ALTERNATIVE = b"=_mixed", b"=_alternative"  # neither quoted-printable nor base64 ever has "=_" in it


class BadAddress(ValueError):
    """No mail server is sure to take this address: it has letters beyond ASCII."""


def build_message(letter: Letter, message_id: str) -> bytes:
    """The letter as it is said to a mail server. Raises BadAddress."""
    if not letter.to.isascii():
        raise BadAddress(f"an address with letters beyond ASCII: {letter.to}")
    headers = [
        _write_sender(_get_sender(), current_settings().sender),
        _write_header("To", Address(addr_spec=letter.to).addr_spec),
        _write_subject(letter.subject),
        _write_header("Date", format_datetime(clock.now())),
        _write_header("Message-ID", message_id),
        b"Auto-Submitted: auto-generated\r\n",
        _write_header("List-Unsubscribe", f"<{letter.unsubscribe}>") if letter.unsubscribe else b"",
        b"MIME-Version: 1.0\r\n",
    ]
    return b"".join(headers) + _write_body(letter)


@kept
def _get_sender() -> str:
    return render_template("mail/sender.txt")


def _write_body(letter: Letter) -> bytes:
    words = [_write_text("plain", letter.text), _write_text("html", letter.html)]
    if letter.calendar is None:
        return _join(b"alternative", ALTERNATIVE, words)
    method = letter.calendar_method.encode()
    kind = b'Content-Type: text/calendar; charset="utf-8"; method="%s"\r\n' % method
    # base64, because a relay that folds or re-encodes lines would break the calendar's own folding
    content = b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(letter.calendar).replace(b"\n", b"\r\n")
    attachment = kind + b'Content-Disposition: attachment; filename="appointment.ics"\r\n' + content
    return _join(b"mixed", MIXED, [_join(b"alternative", ALTERNATIVE, [*words, kind + content]), attachment])


def _join(kind: bytes, boundary: bytes, parts: list[bytes]) -> bytes:
    begin = b'Content-Type: multipart/%s; boundary="%s"\r\n' % (kind, boundary)
    return begin + b"".join(b"\r\n--%s\r\n%s" % (boundary, part) for part in parts) + b"\r\n--%s--\r\n" % boundary


def _write_text(subtype: str, words: str) -> bytes:
    lines = b"".join(
        line.rstrip(b" \t") + b"\r\n" for line in words.encode().splitlines()
    )  # encoded, they may be too long
    kind = f'Content-Type: text/{subtype}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
    return kind.encode() + binascii.b2a_qp(lines)  # seven bits, whatever the server can do


def _write_header(name: str, value: str) -> bytes:
    """A header of words that nobody typed, or that have been looked at."""
    if "\r" in value or "\n" in value:
        raise ValueError(f"{name} in several lines")
    return f"{name}: {value}\r\n".encode("ascii")


@lru_cache(maxsize=1)
def _write_sender(name: str, address: str) -> bytes:
    return _fold("From", Address(name, addr_spec=address))


@lru_cache(maxsize=256)  # many letters have the same
def _write_subject(subject: str) -> bytes:
    return _fold("Subject", subject)


def _fold(name: str, value: str | Address) -> bytes:
    """A header of any words, encoded where they are more than ASCII. Raises ValueError for several lines."""
    return WIDE.fold_binary(*WIDE.header_store_parse(name, value))
