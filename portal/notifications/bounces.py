"""Mail that comes back: a return path for each mail, and reports of failed delivery (RFC 3464) read from it."""

from __future__ import annotations

import email
import hashlib
import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.policy import compat32

from portal.config import Settings

SEAL = 10  # letters that keep a made-up report from touching a mail
MOST_PARTS = 40
WHERE_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "To")


@dataclass(frozen=True)
class Bounce:
    """Which mail came back and why; `final` is false while the other server still tries."""

    mail_id: int
    reason: str
    final: bool


class NoBounce(ValueError):
    """The message is no report about a mail of ours."""


def envelope_sender(settings: Settings, mail_id: int) -> str:
    """Where a mail server sends what it cannot deliver: an address of this mail alone, where one is set."""
    if not settings.mail_bounces:
        return settings.sender
    name, _, domain = settings.mail_bounces.rpartition("@")
    return f"{name}+{mail_id}-{_seal(settings, mail_id)}@{domain}"


def read_bounce(settings: Settings, raw: bytes) -> Bounce:
    """What a report of failed delivery says. Raises NoBounce."""
    if raw.lower().count(b"content-type:") > MOST_PARTS:
        raise NoBounce("the message has more parts than any report")
    # The old policy takes headers as they are: anybody may write here, and the new one reads some for minutes.
    message = email.message_from_bytes(raw, policy=compat32)
    mail_id = next(_find_mail(settings, message), None)
    if mail_id is None:
        raise NoBounce("no address of a mail of ours in " + ", ".join(WHERE_TO))
    for fields in _delivery_fields(message):
        action = (fields.get("Action") or "").strip().lower()
        if action in {"failed", "delayed"}:
            words = f"{fields.get('Status') or ''} {fields.get('Diagnostic-Code') or ''}"
            return Bounce(mail_id, " ".join(words.split())[:300] or action, action == "failed")
    raise NoBounce("the message reports no failed or delayed delivery")


def _find_mail(settings: Settings, message: Message) -> Iterator[int]:
    name, _, domain = settings.mail_bounces.rpartition("@")
    ours = re.compile(rf"{re.escape(name)}\+(\d{{1,15}})-([0-9a-f]{{{SEAL}}})@{re.escape(domain)}", re.IGNORECASE)
    for header in WHERE_TO:
        for value in message.get_all(header, []):
            for found in ours.finditer(str(value)):
                if hmac.compare_digest(found[2].lower(), _seal(settings, int(found[1]))):
                    yield int(found[1])


def _delivery_fields(message: Message) -> Iterator[Message]:
    for part in message.walk():
        if part.get_content_type() == "message/delivery-status":
            payload = part.get_payload()
            yield from (block for block in payload if isinstance(block, Message)) if isinstance(payload, list) else ()


def _seal(settings: Settings, mail_id: int) -> str:
    return hmac.new(settings.secret_key.encode(), f"bounce:{mail_id}".encode(), hashlib.sha256).hexdigest()[:SEAL]
