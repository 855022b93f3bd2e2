"""What a worker asks of the disk, and what becomes of its mail when its connection to the database breaks."""

from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, text, update

from portal.core.db import db
from portal.notifications import services
from portal.notifications.models import MailState, OutgoingMail
from portal.notifications.services import send_due_mail
from tests.notifications.queued import list_confirmations, queue_confirmations

pytestmark = pytest.mark.both_engines

WAITS, GOES_ON = True, False


@pytest.fixture(autouse=True)
def _to_the_server(server, configure, app_context):
    configure(smtp_url=server.url)


@pytest.fixture
def commits():
    """Of each commit of the worker's, whether it waits for the disk."""
    noted = []

    def note(connection):
        options = connection.get_execution_options()
        if options.get("writes"):
            noted.append(options["lasting"])

    event.listen(db.engine, "commit", note)
    yield noted
    event.remove(db.engine, "commit", note)


def test_each_mail_is_handed_over_for_good_and_that_it_was_sent_waits_for_the_disk_with_the_next(commits):
    queue_confirmations(3)
    commits.clear()
    assert send_due_mail() == 3
    looked_for_doubts = claimed = handed_over = noted_at_last = WAITS
    sent_and_next_claimed = GOES_ON
    assert commits == [
        *(looked_for_doubts, claimed),
        *(handed_over, sent_and_next_claimed),
        *(handed_over, sent_and_next_claimed),
        *(handed_over, noted_at_last),
    ]


def test_a_worker_that_is_to_stop_waits_for_the_disk(commits):
    queue_confirmations(3)
    stop = iter([False, True])
    assert send_due_mail(lambda: next(stop)) == 1
    assert commits[-1] == WAITS
    assert Counter(mail.state for mail in list_confirmations()) == {MailState.SENT: 1, MailState.QUEUED: 2}


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_whoever_gets_the_connection_of_a_worker_that_ended_has_transactions_as_ever(monkeypatch):
    def leave(*_):
        raise SystemExit

    queue_confirmations(1)
    db.session.remove()
    db.engine.dispose()  # so that the worker's is the only one
    monkeypatch.setattr(services, "build_message", leave)
    with pytest.raises(SystemExit):
        send_due_mail()
    with db.engine.connect() as connection:
        connection.execute(update(OutgoingMail).values(attempts=99))
        connection.rollback()
    assert [mail.attempts for mail in list_confirmations()] == [1]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_connection_to_the_database_that_breaks_is_replaced_and_each_mail_arrives_once(server, monkeypatch, clock):
    genuine, broken = services._hand_over, []

    def break_once(mail_id, worker):
        if not broken:
            others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            with db.engine.connect() as another:
                broken.extend(another.execute(text(f"{others} AND pid <> pg_backend_pid()")).all())
        return genuine(mail_id, worker)

    monkeypatch.setattr(services, "_hand_over", break_once)
    first, *others = queue_confirmations(3)
    db.session.remove()
    assert send_due_mail() == 3
    assert broken
    assert server.message_ids == others
    clock.shift(timedelta(minutes=6))
    send_due_mail()
    assert server.message_ids == [*others, first]
    db.session.remove()
    assert {mail.state for mail in list_confirmations()} == {MailState.SENT}
