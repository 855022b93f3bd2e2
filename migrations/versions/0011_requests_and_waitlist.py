"""Requests to the desk, the earlier-slot list with its offers, calendar feeds."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("provider_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_calendar_feed_provider_id")),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_calendar_feed_token_hash")),
    )
    op.create_table(
        "patient_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=True),
        sa.Column("wishes", sa.Text(), nullable=False),
        sa.Column("lane", sa.String(length=12), nullable=True),
        sa.Column("prompt", sa.Boolean(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("referred", sa.LargeBinary(), nullable=True),
        sa.Column("idempotency_key", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journey.id"], name=op.f("fk_patient_request_journey_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_request")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_patient_request_idempotency_key")),
    )
    op.create_index(op.f("ix_patient_request_asked_at"), "patient_request", ["asked_at"], unique=False)
    op.create_index(op.f("ix_patient_request_settled_at"), "patient_request", ["settled_at"], unique=False)
    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("appointment_id", sa.Uuid(), nullable=False),
        sa.Column("wishes", sa.Text(), nullable=False),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_waitlist_entry_appointment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entry")),
        sa.UniqueConstraint("appointment_id", name=op.f("uq_waitlist_entry_appointment_id")),
    )
    op.create_index(op.f("ix_waitlist_entry_closed_at"), "waitlist_entry", ["closed_at"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("slot_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer_by", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["waitlist_entry.id"], name=op.f("fk_offer_entry_id")),
        sa.ForeignKeyConstraint(["slot_id"], ["slot.id"], name=op.f("fk_offer_slot_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
        sa.UniqueConstraint("entry_id", "slot_id", name=op.f("uq_offer_entry_id_slot_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_offer_token_hash")),
    )
    op.create_index("ix_offer_state_answer_by", "offer", ["state", "answer_by"], unique=False)
    op.create_index(
        "uq_offer_open_entry",
        "offer",
        ["entry_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_index(
        "uq_offer_open_entry",
        table_name="offer",
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.drop_index("ix_offer_state_answer_by", table_name="offer")
    op.drop_table("offer")
    op.drop_index(op.f("ix_waitlist_entry_closed_at"), table_name="waitlist_entry")
    op.drop_table("waitlist_entry")
    op.drop_index(op.f("ix_patient_request_settled_at"), table_name="patient_request")
    op.drop_index(op.f("ix_patient_request_asked_at"), table_name="patient_request")
    op.drop_table("patient_request")
    op.drop_table("calendar_feed")
