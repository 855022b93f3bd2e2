"""How alembic reaches the portal's database and tables."""

from __future__ import annotations

from alembic import context
from flask import current_app

from portal.core.db import Base, db

config = context.config
PLAIN_TYPES = {
    "UtcDateTime": "sa.DateTime(timezone=True)",
    "EncryptedJSON": "sa.LargeBinary()",
    "EncryptedText": "sa.Text()",
    "EncryptedJSONText": "sa.Text()",
    "JSONText": "sa.Text()",
    "AsaList": "sa.Text()",
}


def run_migrations() -> None:
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            compare_type=True,
            transaction_per_migration=True,
            render_item=_render_type,
            process_revision_directives=_skip_empty if getattr(config.cmd_opts, "autogenerate", False) else None,
        )
        with context.begin_transaction():
            context.run_migrations()


def _render_type(kind: str, item: object, _context: object) -> str | bool:
    """Plain types in migrations: they must run when the portal's own types have long changed."""
    return PLAIN_TYPES.get(type(item).__name__, False) if kind == "type" else False


def _skip_empty(_context: object, _revision: object, directives: list) -> None:
    if directives[0].upgrade_ops.is_empty():
        directives[:] = []
        current_app.logger.info("the tables are as the models say")


run_migrations()
