"""When the question about the warning signs of now was answered; who answered it before this is asked once more."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = depends_on = None


def upgrade() -> None:
    op.add_column("assessment", sa.Column("signs_answered_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("assessment", "signs_answered_at")
