"""Every letter about a visit, as a mail: what it looks like, and what stands in it.

What each looks like is kept in `letters/`. After a change that is meant, renew these files and read their difference:

    PORTAL_TEST_RENEW_LETTERS=1 make test
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parseaddr
from pathlib import Path

import pytest
from sqlalchemy import select, update

from portal.assessment.patterns import PATTERNS
from portal.assessment.questionnaire import QUESTIONS
from portal.booking import samples
from portal.core.db import db
from portal.education.shelf import get_library
from portal.notifications.letters import Letter
from portal.scheduling.models import Provider, VisitType
from tests.booking.mail import Mail, check_folding, describe, note_for_every_visit, read, write_mails

LETTERS = Path(__file__).parent / "letters"
RENEW = bool(os.environ.get("PORTAL_TEST_RENEW_LETTERS"))
HEADERS = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]
CAN_BE_STOPPED = {"offer", "offer lapsed", "digest"}
ABOUT_NO_VISIT = {"request", "thanks"}
WITH_CALENDAR = re.compile("booked|moved|cancelled")

pytestmark = pytest.mark.usefixtures("app_context")


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


@pytest.fixture
def mails(clock):
    return write_mails()


def test_each_letter_looks_as_it_is_kept(mails):
    looks = {re.sub(r"\W+", "-", name): mail.look() for name, mail in mails.items()}
    if RENEW:
        LETTERS.mkdir(exist_ok=True)
        for name, look in looks.items():
            (LETTERS / f"{name}.txt").write_text(look)
    assert looks.keys() == {file.stem for file in LETTERS.glob("*.txt")}
    for name, look in looks.items():
        assert look == (LETTERS / f"{name}.txt").read_text(), f"letters/{name}.txt"


def test_every_mail_is_without_a_defect_and_says_what_it_is(mails):
    for name, mail in mails.items():
        for part in mail.message.walk():
            assert not part.defects, name
            assert not [header for header in part.values() if header.defects], name
        optional = ["List-Unsubscribe"] if name.split(",")[0] in CAN_BE_STOPPED else []
        assert mail.message.keys() == [*HEADERS[:6], *optional, *HEADERS[6:]], name
        assert mail.message["Auto-Submitted"] == "auto-generated"
        assert mail.message["Date"].datetime == datetime(2026, 11, 18, 15, tzinfo=UTC)


def test_lines_of_a_mail_end_and_are_short_as_mail_servers_want_it(mails):
    for mail in mails.values():
        lines = mail.raw.split(b"\r\n")
        assert max(map(len, lines)) <= 998
        assert not [line for line in lines if b"\r" in line or b"\n" in line]


def test_encoded_lines_are_no_longer_than_the_standard_allows(mails):
    for name, mail in mails.items():
        for part in mail.parts:
            if part["Content-Transfer-Encoding"] in {"quoted-printable", "base64"}:
                assert max(map(len, str(part.get_payload()).splitlines())) <= 76, (name, describe(part))


def test_a_name_beyond_ascii_leaves_in_seven_bits(clock, monkeypatch):
    monkeypatch.setattr(samples, "JANE", replace(samples.JANE, name="José Peña"))
    mails = write_mails()
    assert "José Peña" in mails["booked"].text
    for mail in mails.values():
        assert mail.raw.isascii()


def test_a_long_address_to_unsubscribe_stays_an_address():
    address = f"https://{'long-name-of-a-clinic.' * 3}example.org/waitlist/{'x' * 43}"
    mail = Mail(Letter("jane@example.com", "An earlier time", "text", "<p>text</p>", unsubscribe=address))
    assert f"<{address}>".encode() in mail.raw


class TestTextAndHtml:
    def test_state_the_same_facts(self, mails):
        for name, mail in to_patients(mails):
            assert find_facts(mail.text) == find_facts(mail.html_in_words), name

    def test_state_the_same_facts_to_clinicians(self, mails):
        assert find_facts(mails["digest"].text) == find_facts(mails["digest"].html_in_words)

    def test_name_the_clinic_and_its_phone(self, mails):
        for name, mail in to_patients(mails):
            for words in (mail.text, mail.html_in_words):
                assert "Test Clinic" in words, name
                assert "(212) 555-0100" in words, name
            assert 'href="tel:2125550100"' in mail.html

    def test_have_a_link_where_they_are_about_a_visit(self, mails):
        for name, mail in mails.items():
            links = re.findall(r"http://127\.0\.0\.1:8000/\S+", mail.text)
            assert len(links) == (0 if name in ABOUT_NO_VISIT else 1), name
            assert set(links) == set(re.findall(r'href="(http[^"]+)"', mail.html)), name

    def test_have_no_holes(self, mails):
        assert not [name for name, mail in mails.items() if "\n\n\n" in mail.text.replace("\r", "")]

    def test_in_html_nothing_is_loaded_from_anywhere(self, mails):
        for mail in mails.values():
            assert not re.search(r"<(img|script|link|iframe|style|form)|url\(|src=", mail.html)


def to_patients(mails: dict[str, Mail]) -> Iterator[tuple[str, Mail]]:
    return ((name, mail) for name, mail in mails.items() if name != "digest")


def find_facts(words: str) -> set[str]:
    """Whatever has a digit, the names of days, months and zones, and who and where."""
    words = re.sub(r"(?m)^\d\. |tel:\d+", "", words)
    numbers = {word.strip(".,:()") for word in words.split() if re.search(r"\d", word)}
    names = r"\b(?:\w+day|November|December|E[SD]T|IST|am|pm|Ada Test, MD|Jane Sample|Test Street|New York|by \w+)\b"
    return numbers | set(re.findall(names, words))


class TestTheCalendarEntry:
    def test_is_with_the_letters_that_change_a_calendar_and_with_no_other(self, mails):
        for name, mail in mails.items():
            assert len(mail.calendars) == (2 if WITH_CALENDAR.search(name) else 0), name

    def test_is_the_same_within_and_attached_and_names_its_method(self, mails):
        for name, mail in with_calendar(mails):
            within, attached = mail.calendars
            assert within.get_payload(decode=True) == attached.get_payload(decode=True)
            assert attached.get_filename() == "appointment.ics"
            for part in (within, attached):
                assert part["Content-Type"].params["method"] == read(mail)["METHOD"]
            assert read(mail)["METHOD"] == ("CANCEL" if "cancelled" in name else "REQUEST")

    def test_is_one_event_from_the_sender_to_whoever_gets_the_mail(self, mails):
        for _, mail in with_calendar(mails):
            (event,) = read(mail).walk("VEVENT")
            clinic, address = parseaddr(mail.message["From"])
            assert event["ORGANIZER"] == f"mailto:{address}"
            assert event["ORGANIZER"].params["CN"] == clinic
            assert event["ATTENDEE"] == f"mailto:{mail.message['To']}"

    def test_is_the_same_event_for_life(self, mails):
        events = [read(mail).walk("VEVENT")[0] for _, mail in with_calendar(mails)]
        (uid,) = {event["UID"] for event in events}
        assert re.fullmatch(r"[0-9a-f-]{36}@127\.0\.0\.1", uid)
        assert all(event["SEQUENCE"] == 0 for event in events)

    def test_has_its_times_in_utc(self, mails):
        for _, mail in with_calendar(mails):
            times = dict(line.split(":", 1) for line in mail.entry if re.match("DT(START|END|STAMP)", line))
            assert times.keys() == {"DTSTART", "DTEND", "DTSTAMP"}
            assert all(re.fullmatch(r"\d{8}T\d{6}Z", time) for time in times.values())
            assert times["DTSTAMP"] == "20261118T150000Z"

    def test_is_private_and_neutral(self, mails):
        for name, mail in with_calendar(mails):
            (event,) = read(mail).walk("VEVENT")
            assert (event["CLASS"], event["SUMMARY"]) == ("PRIVATE", "Appointment – Test Clinic")
            assert event["STATUS"] == ("CANCELLED" if "cancelled" in name else "CONFIRMED")
            assert bool(event.walk("VALARM")) == ("cancelled" not in name)

    def test_is_folded_as_the_standard_says(self, mails):
        for _, mail in with_calendar(mails):
            check_folding(mail)


def with_calendar(mails: dict[str, Mail]) -> Iterator[tuple[str, Mail]]:
    return ((name, mail) for name, mail in mails.items() if mail.calendars)


class TestNoWordOfHealth:
    """Mail and calendars are seen by family and employers."""

    @pytest.fixture
    def telling(self):
        """The kinds of visit say what they are for."""
        telling = {"name": "Occipital nerve block", "description": "For neuralgia of the trigeminal nerve."}
        db.session.execute(update(VisitType).values(**telling))
        db.session.execute(update(Provider).values(credentials="Headache specialist", about="Treats neuralgia."))
        db.session.commit()

    def test_stands_in_any_mail_or_calendar(self, telling, mails):
        words, phrases = find_health_words()
        assert words > {"throbbing", "neuralgia", "migraine", "trigeminal"}
        for name, mail in mails.items():
            entry = mail.entry if mail.calendars else []
            said = " ".join([mail.message["Subject"], mail.text, mail.html_in_words, *entry])
            assert not words & set(re.findall(r"\w+", said.lower())), name
            assert not [phrase for phrase in phrases if phrase in said.lower()], name

    def test_nor_what_the_patient_wrote(self, clock, monkeypatch):
        note_for_every_visit(monkeypatch, "I get Botox for it")
        for mail in write_mails().values():
            assert b"Botox" not in mail.raw
            assert "Botox" not in mail.text + mail.html


def find_health_words() -> tuple[set[str], set[str]]:
    """Single words, and whole phrases, that tell what somebody has."""
    options = [option.words for question in QUESTIONS.values() for option in question.options]
    pages = [words for page in get_library().pages for words in (page.about.title, page.about.topic)]
    patterns = [words for pattern in PATTERNS for words in (pattern.name, pattern.term)]
    visits = [words for visit in db.session.scalars(select(VisitType)) for words in (visit.name, visit.description)]
    phrases = {words.lower() for words in (*pages, *patterns, *visits) if words}
    return {word for words in (*options, *phrases) for word in re.findall(r"\w{9,}|migraine", words.lower())}, phrases
