"""A mail server that fails, at every step and in every way: what should arrive does, once; the rest is a task.

Each fault meets a few mails here, the main ones a hundred in `make proof`.
"""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
import time_machine
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from portal.booking.models import Patient
from portal.core import chores
from portal.core.db import db
from portal.notifications import cli, services, transport
from portal.notifications.models import MailState
from portal.notifications.queries import list_problems
from portal.notifications.services import send_now
from tests.conftest import NOW
from tests.notifications.queued import FEW, MANY, few_and_many, queue_confirmations, states
from tests.notifications.smtp import HANG, HANG_UP, REFUSE, Fault

BEFORE_THE_MAIL = [
    Fault("listen", REFUSE),
    Fault("greeting", HANG_UP),
    Fault("greeting", HANG),
    Fault("greeting", "421 too busy"),
    Fault("greeting", "554 no service here"),
    Fault("ehlo", HANG_UP),
    Fault("ehlo", "451 later"),
    Fault("ehlo", "550 who are you"),
]
AT_A_MAIL = [
    Fault("mail", "451 later"),
    Fault("rcpt", HANG),
    Fault("rcpt", "421 closing"),
    Fault("dot", "451 later"),
]
BEFORE_THE_DOT = [
    *AT_A_MAIL,
    Fault("mail", HANG_UP),
    Fault("rcpt", "450 greylisted"),
    Fault("data", HANG_UP),
    Fault("data", "451 later"),
]
FOR_GOOD = [
    Fault("mail", "550 not from you"),
    Fault("mail", "552 too large"),
    Fault("rcpt", "550 no such user"),
    Fault("data", "554 no"),
    Fault("dot", "552 too large"),
    Fault("dot", "554 refused"),
]
IN_DOUBT = [Fault("dot", HANG_UP), Fault("dot", HANG), Fault("taken", HANG_UP)]
WITH_MANY = [
    Fault("listen", REFUSE),
    Fault("rcpt", "421 closing"),
    Fault("rcpt", "550 no such user"),
    Fault("text", HANG_UP),
    Fault("dot", HANG_UP),
    Fault("taken", HANG_UP),
]

# smtplib leaves a connection that begins badly to the garbage collector.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.usefixtures("_to_the_server"),
]
each_way = pytest.mark.parametrize("offers", [(), ("PIPELINING",)], ids=["one by one", "in one breath"])


@pytest.fixture
def engine() -> str:
    """Nothing here is different on another database."""
    return "sqlite"


def each(*faults: Fault):
    """Each fault with a few mails, and some of them with many."""
    cases = [pytest.param(replace(fault), FEW, id=str(fault)) for fault in faults]
    many = [fault for fault in faults if fault in WITH_MANY]
    cases += [pytest.param(replace(fault), MANY, id=f"{fault}, many", marks=pytest.mark.proof) for fault in many]
    return pytest.mark.parametrize(("fault", "count"), cases)


class TestThatPasses:
    @each(*BEFORE_THE_MAIL, *BEFORE_THE_DOT)
    def test_all_mail_waits_and_arrives_once_when_it_is_over(self, server, send, fault, count):
        ids = queue_confirmations(count)
        send(server, fault)
        assert states() == {MailState.RETRYING: count}
        assert server.arrived == []
        send()
        assert Counter(server.message_ids) == Counter(ids)
        assert states() == {MailState.SENT: count}

    @each_way
    @each(*AT_A_MAIL)
    def test_it_holds_up_one_mail_and_no_other(self, server, send, offers, fault, count):
        server.offers = offers
        first, *others = queue_confirmations(count)
        fault.times = 1
        send(server, fault)
        assert states() == {MailState.SENT: count - 1, MailState.RETRYING: 1}
        assert server.message_ids == others
        send()
        assert server.message_ids == [*others, first]
        assert states() == {MailState.SENT: count}

    @each(Fault("text", HANG_UP))
    def test_it_breaks_off_in_the_middle_of_a_mail_and_each_arrives_once(self, server, send, fault, count):
        ids = queue_confirmations(count)
        send(server, fault)
        assert states().keys() <= {MailState.RETRYING, MailState.UNCERTAIN}  # the dot may have been on its way
        assert server.arrived == []
        send()
        assert Counter(server.message_ids) == Counter(ids)


@each_way
@few_and_many
def test_a_server_that_takes_few_mails_over_one_connection_gets_them_over_several(server, send, offers, count):
    server.offers, server.most = offers, 2
    ids = queue_confirmations(count)
    send()
    assert Counter(server.message_ids) == Counter(ids)
    assert states() == {MailState.SENT: count}


class TestForGood:
    @each(*FOR_GOOD)
    def test_the_desk_gets_a_task_for_each_mail_and_can_send_it_later(self, server, send, fault, count):
        ids = queue_confirmations(count)
        send(server, fault)
        assert states() == {MailState.FAILED: count}
        assert {mail.last_error for mail in list_problems()} == {fault.how}
        send()
        assert server.arrived == []  # it does not go by itself
        assert all(send_now(mail.id) for mail in list_problems())
        send()
        assert Counter(server.message_ids) == Counter(ids)

    @each_way
    @each(*FOR_GOOD)
    def test_one_refused_mail_holds_up_no_other(self, server, send, offers, fault, count):
        server.offers = offers
        first, *others = queue_confirmations(count)
        fault.times = 1
        send(server, fault)
        assert server.message_ids == others
        assert states() == {MailState.SENT: count - 1, MailState.FAILED: 1}
        assert [mail.message_id for mail in list_problems()] == [first]


class TestInDoubt:
    @each(*IN_DOUBT)
    def test_all_is_sent_once_more_with_the_same_message_id(self, server, send, fault, count):
        ids = queue_confirmations(count)
        send(server, fault)
        assert states() == {MailState.UNCERTAIN: count}
        send()
        copies = 2 if fault.step == "taken" else 1
        assert Counter(server.message_ids) == dict.fromkeys(ids, copies)
        assert states() == {MailState.SENT: count}

    @each(*IN_DOUBT)
    def test_or_left_to_the_desk_where_that_is_wished(self, server, send, configure, fault, count):
        configure(mail_uncertain="hold")
        ids = queue_confirmations(count)
        send(server, fault)
        arrived = list(server.message_ids)
        send()
        assert server.message_ids == arrived
        assert [mail.message_id for mail in list_problems()] == ids
        assert all(send_now(mail.id) for mail in list_problems())
        send()
        assert server.message_ids == [*arrived, *ids]
        assert states() == {MailState.SENT: count}

    def test_one_mail_in_doubt_holds_up_no_other(self, server, send):
        first, *others = queue_confirmations(FEW)
        send(server, Fault("taken", HANG_UP, times=1))
        assert server.message_ids == [first, *others]
        assert states() == {MailState.SENT: FEW - 1, MailState.UNCERTAIN: 1}

    @pytest.mark.parametrize("answer", ["?", "25", "350 and now"])
    def test_an_answer_to_the_dot_that_nobody_understands_is_a_doubt(self, server, send, configure, answer):
        configure(mail_uncertain="hold")
        queue_confirmations(1)
        send(server, Fault("taken", answer))
        assert states() == {MailState.UNCERTAIN: 1}

    def test_any_answer_that_begins_with_2_means_that_the_mail_was_taken(self, server, send):
        queue_confirmations(1)
        send(server, Fault("taken", "251 will forward"))
        assert states() == {MailState.SENT: 1}


def test_a_database_that_fails_at_the_last_moment_costs_no_waiting(server, send, monkeypatch):
    def be_away(*_):
        raise OperationalError("", {}, Exception("away"))

    queue_confirmations(2)
    monkeypatch.setattr(transport, "TIMEOUT", 2)
    with monkeypatch.context() as patch:
        patch.setattr(services, "_hand_over", be_away)
        begun = time.perf_counter()
        send()
    assert states() == {MailState.RETRYING: 2}
    assert time.perf_counter() - begun < 2
    assert server.arrived == []


class TestWhatTheServerSays:
    """It is kept for the desk; whatever it is, it does no harm."""

    def test_several_lines_are_kept(self, server, send):
        queue_confirmations(1)
        send(server, Fault("rcpt", "550-first\r\n550 second"))
        (mail,) = list_problems()
        assert mail.last_error.split() == ["550", "first", "second"]

    def test_too_many_words_are_cut(self, server, send):
        queue_confirmations(1)
        send(server, Fault("rcpt", "550 " + "so " * 1000))
        assert states() == {MailState.FAILED: 1}

    @pytest.mark.both_engines
    @pytest.mark.parametrize("engine", ["sqlite", "postgresql"])  # which is particular about null bytes
    @pytest.mark.parametrize("words", ["caf\xe9", "a null \x00 byte", "\x1b[2J"], ids=repr)
    def test_bytes_that_are_no_text_do_not_stop_the_worker(self, server, send, words):
        queue_confirmations(2)
        send(server, Fault("rcpt", f"550 {words}", times=1))
        assert states() == {MailState.FAILED: 1, MailState.SENT: 1}


@pytest.mark.parametrize("address", ["jörg@example.com", "jane@exämple.com"])
def test_an_address_beyond_ascii_is_reached_or_is_a_task_at_once(server, send, address):
    queue_confirmations(2)
    db.session.execute(update(Patient).where(Patient.name == "Person 0").values(email=address))
    db.session.commit()
    send()
    assert states() in ({MailState.SENT: 2}, {MailState.SENT: 1, MailState.FAILED: 1})


def test_the_workers_chores_are_done_while_the_mail_server_hangs(app, server, monkeypatch, own_signals):
    """With more mails than a server that hangs can be asked for between two tries, some mail is always due."""
    fault = Fault("greeting", HANG, times=40)

    def leave():
        raise SystemExit(f"done, the server to hang {fault.times} times more")

    monkeypatch.setattr(chores, "chores", {"leave": chores.Chore(leave, timedelta(hours=1))})
    monkeypatch.setattr(transport, "TIMEOUT", 0.2)
    monkeypatch.setattr(services, "LONGEST_PAUSE", timedelta(seconds=1))
    monkeypatch.setattr(cli, "SPELL", 1)
    queue_confirmations(12)
    with time_machine.travel(NOW, tick=True), server.failing(fault):
        result = app.test_cli_runner().invoke(args=["mail", "worker"])
    assert result.output.startswith("done")
    assert fault.times > 0


def test_the_worker_rests_only_when_no_mail_is_due(app, server, monkeypatch, own_signals):
    """Spells of one mail each, as of five seconds in a campaign."""
    rests = []

    class Stop(threading.Event):
        def wait(self, timeout=None):
            rests.append(timeout)
            return len(rests) == 4

    def one_mail(*_):
        asked = count()
        return lambda: next(asked) > 0 and MailState.QUEUED in states()

    monkeypatch.setattr(cli, "threading", SimpleNamespace(Event=Stop))
    monkeypatch.setattr(cli, "_after", one_mail)
    monkeypatch.setattr(chores, "chores", {})
    queue_confirmations(3)
    with time_machine.travel(NOW, tick=True):
        app.test_cli_runner().invoke(args=["mail", "worker"])
    assert states() == {MailState.SENT: 3}
    assert rests == [0, 0, 0, cli.PAUSE]


@pytest.fixture
def own_signals():
    """What a worker does to the signals of this process is undone."""
    signals = (signal.SIGTERM, signal.SIGINT)
    handlers = [signal.getsignal(number) for number in signals]
    yield
    for number, handler in zip(signals, handlers, strict=True):
        signal.signal(number, handler)
