"""A portal that sends its mail to a server that fails as it is told."""

import pytest

from tests.notifications.smtp import mail_server


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
