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
        sa.Column("reserved_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reserved_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("begins", sa.Time(), nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("held_by", sa.Uuid(), nullable=True),
        sa.Column("held_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("freed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(state = 'held') = (held_until IS NOT NULL)", name=op.f("ck_slot_held_until_when_held")),
        sa.CheckConstraint("state IN ('free', 'held', 'booked')", name=op.f("ck_slot_known_state")),
        sa.CheckConstraint(
            "reserved_from <= starts_at AND reserved_until >= ends_at", name=op.f("ck_slot_reserved_around_it")
        ),
        sa.CheckConstraint("starts_at < ends_at", name=op.f("ck_slot_starts_before_it_ends")),
        sa.ForeignKeyConstraint(["location_id"], ["location.id"], name=op.f("fk_slot_location_id")),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_slot_provider_id")),
        sa.ForeignKeyConstraint(["visit_type_id"], ["visit_type.id"], name=op.f("fk_slot_visit_type_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot")),
    )
    op.create_index(
        "ix_slot_can_be_offered",
        "slot",
        ["starts_at", "visit_type_id"],
        unique=False,
        sqlite_where=sa.text("offered AND state <> 'booked'"),
        postgresql_where=sa.text("offered AND state <> 'booked'"),
    )
    op.create_index(op.f("ix_slot_day"), "slot", ["day"], unique=False)
    op.create_index(op.f("ix_slot_freed_at"), "slot", ["freed_at"], unique=False)
    op.create_index(op.f("ix_slot_held_by"), "slot", ["held_by"], unique=False)
    op.create_index("ix_slot_provider_id_day", "slot", ["provider_id", "day"], unique=False)
    op.create_index("ix_slot_provider_id_reserved_from", "slot", ["provider_id", "reserved_from"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_slot_provider_id_reserved_from", table_name="slot")
    op.drop_index("ix_slot_provider_id_day", table_name="slot")
    op.drop_index(op.f("ix_slot_held_by"), table_name="slot")
    op.drop_index(op.f("ix_slot_freed_at"), table_name="slot")
    op.drop_index(op.f("ix_slot_day"), table_name="slot")
    op.drop_index(
        "ix_slot_can_be_offered",
        table_name="slot",
        sqlite_where=sa.text("offered AND state <> 'booked'"),
        postgresql_where=sa.text("offered AND state <> 'booked'"),
    )
    op.drop_table("slot")
