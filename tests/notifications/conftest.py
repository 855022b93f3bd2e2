"""A portal that sends its mail to a server that fails as it is told."""

from datetime import timedelta

import pytest

from portal.notifications import transport
from portal.notifications.services import send_due_mail
from tests.notifications.smtp import HANG, mail_server

A_PAUSE = timedelta(minutes=6)  # longer than any between two tries
PATIENCE = 0.2  # seconds that a hanging server is given


@pytest.fixture
def server():
    with mail_server() as server:
        yield server


@pytest.fixture
def configure(app):
    """Change settings of the portal for this test."""

    def configure(**values):
        app.config["PORTAL"] = app.config["PORTAL"].model_copy(update=values)

    return configure


@pytest.fixture
def _to_the_server(server, configure, app_context):
    configure(smtp_url=server.url)


@pytest.fixture
def send(_to_the_server, monkeypatch, clock):
    """Send what is due; with a fault, and some time later without."""

    def send(server=None, fault=None):
        if fault is None:
            clock.shift(A_PAUSE)
            return send_due_mail()
        with server.failing(fault), monkeypatch.context() as patch:
            patch.setattr(transport, "TIMEOUT", PATIENCE if fault.how == HANG else 30)
            return send_due_mail()

    return send
