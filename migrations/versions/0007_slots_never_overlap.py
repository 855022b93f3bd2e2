"""What is reserved for one clinician's slots never overlaps: the database itself refuses it.

Only slots that are offered or taken count; what was withdrawn is history. PostgreSQL keeps this by an exclusion
constraint, SQLite by triggers that look at the one counting slot before the new one's end: as the others do not
overlap each other, no other could be in the way.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = depends_on = None

COUNTS = "({0}offered OR {0}state <> 'free')"
SAME = "OLD.provider_id = NEW.provider_id AND OLD.reserved_from = NEW.reserved_from"
SAME += " AND OLD.reserved_until = NEW.reserved_until"
EVENTS = {
    "insert": ("BEFORE INSERT", ""),
    # Holding and booking a time that counts already changes nothing here.
    "update": ("BEFORE UPDATE", f" AND NOT ({SAME} AND {COUNTS.format('OLD.')})"),
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
        op.execute(
            "ALTER TABLE slot ADD CONSTRAINT ex_slot_no_overlap"
            " EXCLUDE USING gist (provider_id WITH =, tstzrange(reserved_from, reserved_until) WITH &&)"
            f" WHERE {COUNTS.format('')}"
        )
        return
    for name, (event, unless) in EVENTS.items():
        op.execute(
            f"""
            CREATE TRIGGER slot_no_overlap_{name} {event} ON slot
            WHEN {COUNTS.format("NEW.")}{unless} AND NEW.reserved_from < (
                SELECT reserved_until FROM slot
                WHERE provider_id = NEW.provider_id AND id IS NOT NEW.id AND reserved_from < NEW.reserved_until
                    AND {COUNTS.format("")}
                ORDER BY reserved_from DESC LIMIT 1
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
