"""Jobs on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Literal

from pydantic import AwareDatetime, ConfigDict, Field

from extension.model import Job, JobStatus, VlmUse
from extension.wire.form import Wire


class PieceIn(Wire):
    """A part of a video that shows its log without a jump: from `media_s` on it shows `start_at`."""

    media_s: float = Field(ge=0)
    start_at: AwareDatetime


class JobIn(Wire):
    """A job for files that the service can read by path (inside its allowed folders): a video, its log, or both."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}
                for name in ("path", "trajectory")
            ]
        }
    )

    path: str | None = Field(
        default=None, max_length=4096, description="Video; without one, a replay is drawn from the log"
    )
    trajectory: str | None = Field(
        default=None,
        max_length=4096,
        description="Trajectory log of the video (CSV, gzipped or not, or Parquet), or live:NAME for one that grows",
    )
    speed: float = Field(default=1.0, gt=0, le=100, description="Log seconds per video second")
    chunk_s: int = Field(default=0, ge=0, le=3600, description="Chunk length in seconds; 0: default")
    frames_per_chunk: int = Field(default=0, ge=0, le=256, description="Frames per chunk; 0: default")
    prompt: str = Field(default="replay", pattern="^[a-z_]{1,32}$")
    merge_gap_s: float | None = Field(default=None, ge=0, le=3600)
    start_at: AwareDatetime | None = Field(default=None, description="Wall clock of the first frame")
    vlm: Literal["all", "candidates", "off"] = Field(
        default="all", description="Which chunks of a replay with a log to ask the VLM about"
    )
    geometry: bool = Field(default=True, description="Weigh what the VLM says against the log")
    pieces: list[PieceIn] = Field(
        default=[],
        max_length=100_000,
        description="Parts of a video that leaves out some of its log, by time",
    )
    level: Literal["abstract", "simplified", "full"] = Field(
        default="abstract", description="How a replay is drawn when there is no video"
    )


class JobOut(Wire):
    """A job and how far it got. `progress` runs from 0 to 1."""

    id: str
    name: str
    status: JobStatus
    error: str | None
    model: str | None
    speed: float
    media_s: float | None
    chunk_count: int | None
    answered_chunks: int
    failed_chunks: int
    judged_chunks: int
    progress: float
    created_at: dt.datetime
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    has_trajectory: bool
    vlm: VlmUse = VlmUse.ALL
    geometry: bool = True

    @classmethod
    def of(cls, job: Job) -> JobOut:
        """The wire form of a job; server paths stay behind."""
        return cls(
            id=job.id,
            name=job.name,
            status=job.status,
            error=job.error,
            model=job.model,
            speed=job.options.speed,
            media_s=job.media_s,
            chunk_count=job.chunk_count,
            answered_chunks=job.answered_chunks,
            failed_chunks=job.failed_chunks,
            judged_chunks=job.judged_chunks,
            progress=_progress(job),
            created_at=job.created_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            has_trajectory=job.trajectory_path is not None,
            vlm=job.options.vlm,
            geometry=job.options.geometry,
        )


def _progress(job: Job) -> float:
    if job.status is JobStatus.DONE:
        return 1.0
    return job.judged_chunks / job.chunk_count if job.chunk_count else 0.0
