"""Mail that comes back: the return path of each mail, and what `flask mail bounce` makes of reports."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.booking.changes import correct_address
from portal.booking.models import Appointment
from portal.core.db import db
from portal.notifications.bounces import NoBounce, envelope_sender, read_bounce
from portal.notifications.models import MailState
from portal.notifications.queries import list_problems
from portal.notifications.services import send_due_mail, send_now, settle_problem
from tests.conftest import make_settings, settings_environment
from tests.notifications.queued import list_confirmations, queue_confirmations
from tests.servers import run_command

REPORTS = Path(__file__).parent / "reports"
BOUNCES = "bounces@clinic.example"


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def report(name: str, address: str) -> bytes:
    return (REPORTS / f"{name}.eml").read_text().replace("{address}", address).encode()


@pytest.fixture
def address(server, configure, app_context):
    """The return path of a confirmation that has been sent."""
    configure(smtp_url=server.url, mail_bounces=BOUNCES)
    queue_confirmations(1)
    send_due_mail()
    return server.arrived[0].sender


@pytest.fixture
def tell(app):
    """Give a report to `flask mail bounce`: its exit status and its answer, which is one line."""

    def tell(raw: bytes) -> tuple[int, str]:
        db.session.remove()
        result = app.test_cli_runner().invoke(args=["mail", "bounce"], input=raw)
        assert isinstance(result.exception, SystemExit | None), result.exception
        (line,) = result.output.splitlines()
        db.session.remove()
        return result.exit_code, line

    return tell


def state() -> tuple[str, str | None]:
    db.session.remove()
    (mail,) = list_confirmations()
    return mail.state, mail.last_error


class TestTheReturnPath:
    def test_each_mail_has_its_own_under_the_mailbox_for_bounces(self, server, configure, app_context):
        configure(smtp_url=server.url, mail_bounces=BOUNCES)
        queue_confirmations(3)
        send_due_mail()
        senders = [mail.sender for mail in server.arrived]
        assert len(set(senders)) == 3
        for sender, mail in zip(senders, list_confirmations(), strict=True):
            assert sender.startswith(f"bounces+{mail.id}-")
            assert sender.endswith("@clinic.example")
        assert all(b"From: Test Clinic <appointments@clinic.example>" in mail.data for mail in server.arrived)

    def test_without_such_a_mailbox_it_is_the_sender(self, server, configure, app_context):
        configure(smtp_url=server.url)
        queue_confirmations(1)
        send_due_mail()
        assert [mail.sender for mail in server.arrived] == ["appointments@clinic.example"]


class TestReports:
    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("postfix", "5.1.1 smtp; 550 5.1.1 <person0@example.com>: Recipient address rejected: User unknown"),
            ("exchange", "5.2.2 smtp;554 5.2.2 mailbox full; STOREDRV"),
            ("gmail", "5.1.1 smtp; 550-5.1.1 The email account that you tried to reach does not exist."),
        ],
    )
    def test_of_a_failed_delivery_stand_with_their_words_on_the_desks_list(self, app, address, tell, desk, name, why):
        status, answer = tell(report(name, address))
        assert status == 0
        assert "came back" in answer
        assert why in answer
        assert state()[0] == MailState.BOUNCED
        assert state()[1].startswith(why)
        with app.app_context():  # a request of its own, beside the one in which the desk signed in
            page = desk.open("/desk/mail/").text
        assert "booked: bounced" in page
        assert "(212) 555-0177" in page

    def test_are_known_however_the_address_is_written(self, address, tell):
        assert tell(report("exchange", address.upper()))[0] == 0

    def test_may_come_twice(self, address, tell):
        assert [tell(report("postfix", address))[0] for _ in range(2)] == [0, 0]
        assert len(list_problems()) == 1

    def test_of_a_delay_change_nothing(self, address, tell):
        status, answer = tell(report("delayed", address))
        assert (status, state()) == (0, (MailState.SENT, None))
        assert "is delayed: 4.4.1" in answer
        assert list_problems() == []

    @pytest.mark.parametrize("name", ["delivered", "auto-reply"])
    def test_of_nothing_bad_are_not_noted(self, address, tell, name):
        expected = "Error: Nothing was noted: the message reports no failed or delayed delivery."
        assert tell(report(name, address)) == (1, expected)
        assert state() == (MailState.SENT, None)

    def test_with_a_forged_seal_or_that_of_another_mail_are_not_noted(self, address, tell, app):
        other = envelope_sender(app.config["PORTAL"], 999_999)
        seal, right_seal = other.partition("-")[2], address.partition("-")[2]
        for forged in (address.replace(right_seal, seal), address.replace(right_seal, "0000000000@clinic.example")):
            status, answer = tell(report("postfix", forged))
            assert status == 1
            assert answer.startswith("Error: Nothing was noted: no address of a mail of ours")
        assert state() == (MailState.SENT, None)

    @pytest.mark.usefixtures("address")
    def test_about_a_mail_that_is_not_there_say_so(self, tell, app):
        unknown = envelope_sender(app.config["PORTAL"], 999_999)
        assert tell(report("postfix", unknown)) == (1, "Error: There is no mail 999999 that has left.")

    def test_that_are_huge_are_read_as_far_as_it_matters(self, address, tell):
        assert tell(report("postfix", address) + b"x" * 20_000_000)[0] == 0
        assert state()[0] == MailState.BOUNCED

    @pytest.mark.parametrize(
        "raw",
        [
            pytest.param(b"", id="nothing"),
            pytest.param(b"\n", id="an empty line"),
            pytest.param(b"\x00" * 100_000, id="nulls"),
            pytest.param(b"To: ", id="half a header"),
            pytest.param(b"Content-Type: multipart/report\n\n", id="no boundary"),
            pytest.param(random.Random(1).randbytes(1_000_000), id="noise"),
        ],
    )
    @pytest.mark.usefixtures("address")
    def test_that_are_none_are_told_in_one_line(self, tell, raw):
        status, answer = tell(raw)
        assert status == 1
        assert answer.startswith("Error: Nothing was noted: ")
        assert state() == (MailState.SENT, None)

    @pytest.mark.both_engines
    @pytest.mark.parametrize("engine", ["sqlite", "postgresql"])  # which is particular about null bytes
    def test_with_odd_bytes_in_their_words_are_noted(self, address, tell):
        assert tell(report("postfix", address).replace(b"User unknown", b"caf\xe9 \x00 unknown"))[0] == 0
        assert state()[0] == MailState.BOUNCED

    def test_come_through_the_mail_servers_pipe(self, address, settings):
        environment = {**settings_environment(settings), "PORTAL_MAIL_BOUNCES": BOUNCES}
        db.session.remove()
        result = run_command("mail", "bounce", environment=environment, stdin=report("postfix", address).decode())
        assert (result.returncode, result.stderr) == (0, "")
        assert "came back: 5.1.1" in result.stdout
        assert state()[0] == MailState.BOUNCED


class TestWhatTheDeskHasDealtWith:
    def test_is_on_the_list_again_when_it_is_sent_again_and_comes_back_again(self, address, tell):
        tell(report("postfix", address))
        (mail,) = list_problems()
        assert settle_problem(mail.id)
        assert send_now(mail.id)
        send_due_mail()
        tell(report("postfix", address))
        assert len(list_problems()) == 1

    def test_leaves_for_the_new_address_even_if_a_second_report_of_the_old_one_comes_first(self, address, tell, server):
        tell(report("postfix", address))
        correct_address(db.session.scalar(select(Appointment.id)), "new@example.com")
        tell(report("postfix", address))
        send_due_mail()
        assert [mail.recipient for mail in server.arrived] == ["person0@example.com", "new@example.com"]


class TestHostileReports:
    """Anybody can write to the mailbox for bounces: what is made to be hard to read costs neither time nor a crash."""

    NESTED = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(1500))

    @pytest.mark.parametrize(
        "raw",
        [
            "To: " + "(" * 3000 + "\n\n",
            "To: " + '"' * 15_000 + "\n\n",
            "To: {address}\n" + NESTED,
            "To: {address}\n" + "Content-Type: message/rfc822\n\n" * 1500,
        ],
        ids=["comments", "quotes", "nested parts", "nested mails"],
    )
    def test_they_are_none_within_a_second(self, tmp_path, raw):
        settings = make_settings(tmp_path, mail_bounces=BOUNCES)
        begun = time.perf_counter()
        with pytest.raises(NoBounce):
            read_bounce(settings, raw.replace("{address}", envelope_sender(settings, 1)).encode())
        assert time.perf_counter() - begun < 1
