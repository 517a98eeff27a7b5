"""Whether an event or incident was looked at twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; nothing that is stored already was looked at twice."""
    for table in ("events", "incidents"):
        op.add_column(table, sa.Column("check", sa.String, nullable=False, server_default="once"))


def downgrade() -> None:
    """Drop it."""
    for table in ("events", "incidents"):
        op.drop_column(table, "check")
