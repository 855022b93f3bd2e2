"""An index over the mail that is still to be sent, so that claiming the next takes the same time in any queue."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = depends_on = None

TO_SEND = sa.text("(state IN ('queued', 'retrying', 'uncertain', 'claimed')) IS TRUE")


def upgrade() -> None:
    op.create_index(
        "ix_outgoing_mail_to_send",
        "outgoing_mail",
        ["not_before", "id"],
        sqlite_where=TO_SEND,
        postgresql_where=TO_SEND,
    )


def downgrade() -> None:
    op.drop_index("ix_outgoing_mail_to_send", table_name="outgoing_mail")
