"""Commands say in a sentence what is wrong, and what to run."""

import pytest
from sqlalchemy import text

from portal import create_app
from portal.core.db import db


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


@pytest.mark.both_engines
def test_before_the_tables_are_made_every_command_says_what_to_run(empty):
    for command in COMMANDS:
        result = empty.test_cli_runner().invoke(args=command)
        assert result.exit_code == 1
        assert "run `flask db upgrade`" in result.output, command


@pytest.mark.parametrize("command", ["mail list", "slots open", "staff add jo@example.org --name Jo"])
def test_while_the_database_is_away_a_command_says_so(settings, command):
    away = create_app(settings.model_copy(update={"database_url": "postgresql+psycopg://nobody@127.0.0.1:1/none"}))
    result = away.test_cli_runner().invoke(args=command)
    assert result.exit_code == 1
    assert result.output.startswith("Error: The database does not answer: ")
    assert len(result.output.splitlines()) == 1
