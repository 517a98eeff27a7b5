"""What an event or incident rests on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; what is stored already rests on the VLM."""
    for table in ("events", "incidents"):
        op.add_column(table, sa.Column("basis", sa.String, nullable=False, server_default="vlm"))


def downgrade() -> None:
    """Drop it."""
    for table in ("events", "incidents"):
        op.drop_column(table, "basis")
