"""The database loses its power again and again while mail leaves: what had not come to its disk is gone.

No mail is lost, and each cut leaves one in doubt at most. The control, which does not wait for the disk before the
final dot, must be found out.
"""

from __future__ import annotations

import time
from collections import Counter

import pytest
from sqlalchemy.exc import OperationalError

from portal.core.db import db
from portal.notifications.models import MailState
from tests import servers
from tests.conftest import build_template, make_settings, portal_by_the_real_clock, settings_environment
from tests.notifications.queued import queue_confirmations
from tests.notifications.test_killed import count_states, mortal_workers

pytestmark = pytest.mark.proof

MANY, CUTS = 200, 8
BETWEEN = MANY // (CUTS + 2)  # mails that arrive from one cut to the next
PATIENCE = 60  # seconds until all should have left


@pytest.fixture
def send_and_cut(tmp_path, server):
    database = servers.PostgresServer(servers.find_postgresql(), durable=True)
    database.start()
    settings = make_settings(tmp_path, database_url=database.url(database.create_database()))
    build_template(settings)

    def send_and_cut(flaw="") -> tuple[list[str], Counter[str]]:
        """Send mails while the database is cut off; what was queued, and how often each arrived."""
        environment = {
            **settings_environment(settings),
            "PORTAL_SMTP_URL": server.url,
            "PORTAL_TEST_DEATHS": str(tmp_path),
        }
        with portal_by_the_real_clock(settings):
            ids = queue_confirmations(MANY)
            db.session.remove()
            with mortal_workers(environment, 1, 1, flaw):
                for cut in range(1, CUTS + 1):
                    wait_until(lambda cut=cut: len(server.arrived) >= cut * BETWEEN)
                    database.crash()
                    database.wake()
                wait_until(all_is_sent)
        return ids, Counter(server.message_ids)

    yield send_and_cut
    database.stop()


def wait_until(it_is_so):
    end = time.monotonic() + PATIENCE
    while not it_is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def all_is_sent():
    try:
        return count_states().keys() == {MailState.SENT}
    except OperationalError:  # it is just waking
        return False


def test_each_cut_leaves_one_mail_in_doubt_at_most(send_and_cut):
    ids, arrived = send_and_cut()
    assert arrived.keys() == set(ids)
    assert arrived.total() - MANY <= CUTS


def test_the_control_that_hands_a_mail_over_without_waiting_sends_more_than_one_again(send_and_cut):
    ids, arrived = send_and_cut(flaw="hand_over_for_now")
    assert arrived.keys() == set(ids)
    assert arrived.total() - MANY > CUTS
