"""Slots of the diary."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "slot",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("location_id", sa.Integer(), nullable=False),
        sa.Column("visit_type_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name=op.f("ck_slot_held_until_when_held")),
        sa.CheckConstraint("state IN ('free', 'held', 'booked', 'blocked')", name=op.f("ck_slot_known_state")),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slot_starts_before_it_ends")),
        sa.ForeignKeyConstraint(["held_by"], ["journey.id"], name=op.f("fk_slot_held_by")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_slot_location_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_slot_provider_id")),
        sa.ForeignKeyConstraint(["visit_type_id"], ["visit_type.id"], name=op.f("fk_slot_visit_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
    )
    op.create_index(op.f("ix_slot_held_by"), "slot", ["held_by"], unique=False)
    op.create_index("ix_slot_provider_id_starts_at", "slot", ["provider_id", "starts_at"], unique=True)
    op.create_index(op.f("ix_slot_starts_at"), "slot", ["starts_at"], unique=False)
    op.create_index("ix_slot_state_starts_at", "slot", ["state", "starts_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_slot_state_starts_at", table_name="slot")
    op.drop_index(op.f("ix_slot_starts_at"), table_name="slot")
    op.drop_index("ix_slot_provider_id_starts_at", table_name="slot")
    op.drop_index(op.f("ix_slot_held_by"), table_name="slot")
    op.drop_table("slot")
