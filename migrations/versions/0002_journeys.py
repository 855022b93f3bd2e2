"""Referral links, journeys and their milestones."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = depends_on = None


def upgrade() -> None:
    op.create_table(
        "daily_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("link_code", sa.String(length=40), nullable=False),
        sa.Column("last_link_code", sa.String(length=40), nullable=False),
        sa.Column("article", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("reached", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("lane", sa.String(length=20), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day",
            "what",
            "link_code",
            "last_link_code",
            "article",
            "source",
            "reached",
            "lane",
            name=op.f("pk_daily_count"),
        ),
    )
    op.create_table(
        "referral_link",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("label", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("destination", sa.String(length=200), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=120), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_referral_link")),
    )
    op.create_index(op.f("ix_referral_link_made_at"), "referral_link", ["made_at"], unique=False)
    op.create_table(
        "journey",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("link_code", sa.String(length=40), nullable=True),
        sa.Column("last_link_code", sa.String(length=40), nullable=True),
        sa.Column("article", sa.String(length=80), nullable=True),
        sa.Column("source", sa.String(length=40), nullable=True),
        sa.Column("booking_referral", sa.String(length=80), nullable=True),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("lane", sa.String(length=20), nullable=True),
        sa.Column("minutes_to_book", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["last_link_code"], ["referral_link.code"], name=op.f("fk_journey_last_link_code")),
        sa.ForeignKeyConstraint(["link_code"], ["referral_link.code"], name=op.f("fk_journey_link_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_journey")),
    )
    op.create_index(op.f("ix_journey_day"), "journey", ["day"], unique=False)
    op.create_table(
        "milestone",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("lane", sa.String(length=20), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["journey_id"], ["journey.id"], name=op.f("fk_milestone_journey_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sa.UniqueConstraint("journey_id", "kind", name=op.f("uq_milestone_journey_id_kind")),
    )


def downgrade() -> None:
    op.drop_table("milestone")
    op.drop_index(op.f("ix_journey_day"), table_name="journey")
    op.drop_table("journey")
    op.drop_index(op.f("ix_referral_link_made_at"), table_name="referral_link")
    op.drop_table("referral_link")
    op.drop_table("daily_count")
