"""A portal that keeps what is the same for everybody, as it does in production."""

import pytest

from portal.core.kept import KEEP


@pytest.fixture
def keeping(app):
    app.config["KEEP"] = KEEP
    app.extensions["portal.kept"].clear()
    return app
