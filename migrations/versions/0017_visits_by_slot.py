"""The visits of a slot, cancelled ones too, without looking through all: for the desk's boards."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_index(op.f("ix_appointment_slot_id"), "appointment", ["slot_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_appointment_slot_id"), table_name="appointment")
