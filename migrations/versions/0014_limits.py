"""How often something was done: one count a key and window; what is held now is found quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "hit_count",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_hit_count")),
    )
    op.create_index(op.f("ix_hit_count_ends_at"), "hit_count", ["ends_at"], unique=False)
    op.create_index(
        "ix_slot_held_until",
        "slot",
        ["held_until"],
        unique=False,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_slot_held_until",
        table_name="slot",
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.drop_index(op.f("ix_hit_count_ends_at"), table_name="hit_count")
    op.drop_table("hit_count")
