"""Slots of one clinician never overlap: the database itself refuses it.

PostgreSQL by an exclusion constraint, SQLite by triggers that look at the one slot before the new one's end:
as the others do not overlap each other, no other could be in the way.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = depends_on = None

EVENTS = {"insert": "BEFORE INSERT", "update": "BEFORE UPDATE OF provider_id, starts_at, ends_at"}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(
            "ALTER TABLE slot ADD CONSTRAINT ex_slot_no_overlap"
            " EXCLUDE USING gist (provider_id WITH =, tstzrange(starts_at, ends_at) WITH &&)"
        )
        return
    for name, event in EVENTS.items():
        op.execute(
            f"""
            CREATE TRIGGER slot_no_overlap_{name} {event} ON slot
            WHEN NEW.starts_at < (
                SELECT ends_at FROM slot
                WHERE provider_id = NEW.provider_id AND id IS NOT NEW.id AND starts_at < NEW.ends_at
                ORDER BY starts_at DESC LIMIT 1
            )
            BEGIN SELECT RAISE(ABORT, 'slots of one provider overlap'); END
            """
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE slot DROP CONSTRAINT ex_slot_no_overlap")
        return
    for name in EVENTS:
        op.execute(f"DROP TRIGGER slot_no_overlap_{name}")
