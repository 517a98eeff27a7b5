"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _jobs()
    _captions()
    _events()
    _incidents()
    _deliveries()


def downgrade() -> None:
    """Drop every table."""
    for table in ("deliveries", "incidents", "events", "captions", "jobs"):
        op.drop_table(table)


def _instant() -> sa.DateTime:
    return sa.DateTime(timezone=True)


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_path", sa.Text, nullable=False),
        sa.Column("trajectory_path", sa.Text),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("model", sa.Text),
        sa.Column("media_s", sa.Float),
        sa.Column("chunk_count", sa.Integer),
        sa.Column("judged_chunks", sa.Integer, nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("started_at", _instant()),
        sa.Column("finished_at", _instant()),
        sa.UniqueConstraint("id", name="uq_jobs_id"),
    )
    op.create_index("ix_jobs_status", "jobs", ["status"])


def _captions() -> None:
    op.create_table(
        "captions",
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", name="fk_captions_job"), primary_key=True),
        sa.Column("chunk_index", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("verdict", sa.JSON),
        sa.Column("failure_code", sa.Text),
        sa.Column("failure_message", sa.Text),
        sa.Column("stats", sa.JSON, nullable=False),
        sa.CheckConstraint(
            "(verdict IS NULL) <> (failure_code IS NULL)", name="ck_captions_verdict_or_failure"
        ),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", name="fk_events_job"), nullable=False),
        sa.Column("chunk_index", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("objects", sa.JSON, nullable=False),
        sa.Column("clock", sa.Text),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("confidence", sa.Float),
        sa.Column("start_at", _instant()),
        sa.Column("end_at", _instant()),
        sa.Column("positions", sa.JSON, nullable=False),
    )
    op.create_index("ix_events_job", "events", ["job_id", "start_s"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", name="fk_incidents_job"), nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("objects", sa.JSON, nullable=False),
        sa.Column("phase", sa.String, nullable=False),
        sa.Column("severity", sa.String, nullable=False),
        sa.Column("start_s", sa.Float, nullable=False),
        sa.Column("end_s", sa.Float, nullable=False),
        sa.Column("event_ids", sa.JSON, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("clock", sa.Text),
        sa.Column("start_at", _instant()),
        sa.Column("end_at", _instant()),
        sa.Column("positions", sa.JSON, nullable=False),
    )
    op.create_index("ix_incidents_job", "incidents", ["job_id", "start_s"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.String, nullable=False),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", name="fk_deliveries_job"), nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_at", _instant(), nullable=False),
        sa.Column("next_attempt_at", _instant(), nullable=False),
        sa.Column("last_error", sa.Text),
        sa.Column("sent_at", _instant()),
        sa.UniqueConstraint("message_id", name="uq_deliveries_message"),
    )
    op.create_index("ix_deliveries_due", "deliveries", ["state", "next_attempt_at"])
    op.create_index("ix_deliveries_order", "deliveries", ["incident_id", "receiver", "state"])
    op.create_index("ix_deliveries_job", "deliveries", ["job_id"])
