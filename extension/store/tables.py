"""The tables. Their revisions are in `migrations/versions`; a test keeps the two alike."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from extension.store.columns import Instant, Words

METADATA = MetaData()

# `number` counts rows in the order in which they came; ids are what the rest of the program knows.
JOBS = Table(
    "jobs",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False),
    Column("name", Words, nullable=False),
    Column("media_path", Words, nullable=False),
    Column("trajectory_path", Words),
    Column("options", JSON, nullable=False),
    Column("status", String, nullable=False),
    Column("error", Words),
    Column("model", Words),
    Column("media_s", Float),
    Column("chunk_count", Integer),
    Column("judged_chunks", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    UniqueConstraint("id", name="uq_jobs_id"),
    Index("ix_jobs_status", "status"),
)

CAPTIONS = Table(
    "captions",
    METADATA,
    Column("job_id", String, ForeignKey("jobs.id", name="fk_captions_job"), primary_key=True),
    Column("chunk_index", Integer, primary_key=True, autoincrement=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("text", Words, nullable=False),
    Column("verdict", JSON(none_as_null=True)),
    Column("failure_code", Words),
    Column("failure_message", Words),
    Column("stats", JSON, nullable=False),
    CheckConstraint("(verdict IS NULL) <> (failure_code IS NULL)", name="ck_captions_verdict_or_failure"),
)

EVENTS = Table(
    "events",
    METADATA,
    Column("id", String, primary_key=True),
    Column("job_id", String, ForeignKey("jobs.id", name="fk_events_job"), nullable=False),
    Column("chunk_index", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("severity", String, nullable=False),
    Column("objects", JSON, nullable=False),
    Column("clock", Words),
    Column("description", Words, nullable=False),
    Column("confidence", Float),
    Column("start_at", Instant),
    Column("end_at", Instant),
    Column("positions", JSON, nullable=False),
    Column("basis", String, nullable=False, server_default="vlm"),
    Column("check", String, nullable=False, server_default="once"),
    Index("ix_events_job", "job_id", "start_s"),
)

INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", String, primary_key=True),
    Column("job_id", String, ForeignKey("jobs.id", name="fk_incidents_job"), nullable=False),
    Column("kind", String, nullable=False),
    Column("objects", JSON, nullable=False),
    Column("phase", String, nullable=False),
    Column("severity", String, nullable=False),
    Column("start_s", Float, nullable=False),
    Column("end_s", Float, nullable=False),
    Column("event_ids", JSON, nullable=False),
    Column("description", Words, nullable=False),
    Column("clock", Words),
    Column("start_at", Instant),
    Column("end_at", Instant),
    Column("positions", JSON, nullable=False),
    Column("basis", String, nullable=False, server_default="vlm"),
    Column("check", String, nullable=False, server_default="once"),
    Index("ix_incidents_job", "job_id", "start_s"),
)

# The outbox. A delivery outlives its incident's row when a retried job finds that two incidents were one.
DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("message_id", String, nullable=False),
    Column("job_id", String, ForeignKey("jobs.id", name="fk_deliveries_job"), nullable=False),
    Column("receiver", Words, nullable=False),
    Column("incident_id", String, nullable=False),
    Column("type", String, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("body", Words, nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("last_error", Words),
    Column("sent_at", Instant),
    UniqueConstraint("message_id", name="uq_deliveries_message"),
    Index("ix_deliveries_due", "state", "next_attempt_at"),
    Index("ix_deliveries_order", "incident_id", "receiver", "state"),
    Index("ix_deliveries_job", "job_id"),
)
