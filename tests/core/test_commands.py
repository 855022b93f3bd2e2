"""Commands say in a sentence what is wrong, and what to run."""

import pytest
from sqlalchemy import text

from portal.core.db import db

pytestmark = pytest.mark.both_engines


@pytest.fixture
def empty(app):
    """The portal as it is installed, before its tables are made."""
    with app.app_context():
        db.session.remove()
        if db.engine.dialect.name == "postgresql":
            db.session.execute(text("DROP SCHEMA public CASCADE"))
            db.session.execute(text("CREATE SCHEMA public"))
            db.session.commit()
        else:
            db.engine.dispose()
            (app.config["PORTAL"].data_dir / "portal.db").unlink()
    return app


COMMANDS = ["slots open", "staff add jo@example.org --name Jo", "mail list", "keys rotate", "audit verify", "doctor"]


def test_before_the_tables_are_made_every_command_says_what_to_run(empty):
    for command in COMMANDS:
        result = empty.test_cli_runner().invoke(args=command)
        assert result.exit_code == 1
        assert "run `flask db upgrade`" in result.output, command
