"""A letter as whoever gets it reads it."""

from __future__ import annotations

import email
import html
import re
from email.message import EmailMessage
from email.policy import strict

from icalendar import Calendar

from portal.booking import samples
from portal.core.db import db
from portal.notifications.letters import Letter
from portal.notifications.mime import build_message

VOLATILE = [
    (r"(/visit/|/waitlist/)[\w-]{20,}", r"\1TOKEN"),
    (r"TST-\w{4}-\d\d", "TST-XXXX-00"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
]


class Mail:
    """A letter as whoever gets it reads it."""

    def __init__(self, letter: Letter) -> None:
        self.raw = build_message(letter, "<letter@clinic.example>")
        message = email.message_from_bytes(self.raw, policy=strict)
        assert isinstance(message, EmailMessage)
        self.message = message
        self.parts = [part for part in message.walk() if not part.is_multipart()]
        self.text, self.html = (self._body(kind) for kind in ("plain", "html"))
        self.calendars = [part for part in self.parts if part.get_content_type() == "text/calendar"]

    def _body(self, kind: str) -> str:
        (body,) = (part for part in self.parts if part.get_content_type() == f"text/{kind}")
        return str(body.get_content())

    @property
    def html_in_words(self) -> str:
        """The HTML as it is read, with the addresses of its links."""
        body = self.html.partition("<body")[2].partition(">")[2]
        body = re.sub(r'<a href="([^"]+)"[^>]*>', r" \1 ", body)
        return html.unescape(re.sub(r"<[^>]+>", " ", body))

    @property
    def entry(self) -> list[str]:
        """The unfolded lines of the calendar entry."""
        raw = self.calendars[0].get_payload(decode=True).decode()
        return raw.replace("\r\n ", "").removesuffix("\r\n").split("\r\n")

    def look(self) -> str:
        """Structure, headers and words, as kept in `letters/`."""
        lines = [f"{name}: {value}" for name, value in self.message.items() if name != "Content-Type"]
        for part in self.message.walk():
            lines.append("")
            lines.append(f"=== {describe(part)}")
            if part.get_content_type() == "text/calendar":
                lines += self.entry
            elif not part.is_multipart():
                lines += part.get_content().strip().splitlines()
        look = "\n".join(lines) + "\n"
        for pattern, stable in VOLATILE:
            look = re.sub(pattern, stable, look)
        return look


def describe(part: EmailMessage) -> str:
    kind = part["Content-Type"]
    parameters = [f"{name}={value}" for name, value in kind.params.items() if name != "boundary"]
    more = (part["Content-Transfer-Encoding"], part["Content-Disposition"])
    return "; ".join([kind.content_type, *parameters, *(str(value) for value in more if value)])


def write_mails() -> dict[str, Mail]:
    db.session.remove()
    return {name: Mail(letter) for name, letter in samples.write_samples().items()}


def read(mail: Mail) -> Calendar:
    return Calendar.from_ical(mail.calendars[0].get_payload(decode=True))


def check_folding(mail: Mail) -> None:
    """Lines of 75 octets at most that end with CRLF, none of them broken within a letter."""
    raw = mail.calendars[0].get_payload(decode=True)
    assert raw.endswith(b"\r\n")
    for line in raw.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75, line
        assert b"\r" not in line, line
        assert b"\n" not in line, line
        line.decode()


def note_for_every_visit(monkeypatch, note: str) -> None:
    genuine = samples.build_appointment

    def build_appointment(*facts):
        appointment = genuine(*facts)
        appointment.note = note
        return appointment

    monkeypatch.setattr(samples, "build_appointment", build_appointment)
