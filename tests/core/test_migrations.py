"""The migrations: up to the models' tables and down again, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from portal.config import resource_folder
from portal.core.db import Base, db
from portal.operations.health import get_revision, known_revisions

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]


def test_the_tables_are_those_of_the_models():
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_migration_goes_down_and_up_again():
    downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    upgrade()
    assert set(Base.metadata.tables) <= set(inspect(db.engine).get_table_names())


def test_what_a_web_process_knows_of_them_without_alembic_is_what_alembic_says():
    scripts = ScriptDirectory(str(resource_folder("migrations"))).walk_revisions()
    assert known_revisions() == [script.revision for script in scripts]
    with db.engine.connect() as connection:
        assert get_revision(connection) == MigrationContext.configure(connection).get_current_revision()
