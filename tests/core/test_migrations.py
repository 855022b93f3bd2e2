"""The migrations: up to the models' tables and down again, on both engines."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from portal.core.db import Base, db

pytestmark = [pytest.mark.both_engines, pytest.mark.usefixtures("app_context")]


def test_the_tables_are_those_of_the_models():
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_every_migration_goes_down_and_up_again():
    downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    upgrade()
    assert set(Base.metadata.tables) <= set(inspect(db.engine).get_table_names())
