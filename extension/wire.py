"""What crosses our own REST API, as pydantic models, and the only place where domain values become wire values."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from extension.model import (
    Basis,
    Caption,
    Change,
    Delivery,
    DeliveryState,
    Event,
    Incident,
    Job,
    JobStatus,
    Kind,
    Phase,
    Position,
    Severity,
    VlmUse,
)


class Wire(BaseModel):
    """Root of our wire models: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class PositionOut(Wire):
    """Where an object was, in the trajectory log's units (y is up)."""

    objid: str
    x: float
    y: float
    z: float

    @classmethod
    def of(cls, position: Position) -> PositionOut:
        """The wire form of a position."""
        return cls(objid=position.objid, x=position.x, y=position.y, z=position.z)


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
    trajectory: str | None = Field(default=None, max_length=4096, description="Trajectory log of the video")
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


class CaptionOut(Wire):
    """The answer for one chunk; `failure` names why there is no verdict."""

    chunk_index: int
    start_s: float
    end_s: float
    text: str
    status: Severity | None
    summary: str | None
    failure: str | None
    stats: dict[str, Any]

    @classmethod
    def of(cls, caption: Caption) -> CaptionOut:
        """The wire form of a caption."""
        return cls(
            chunk_index=caption.chunk.index,
            start_s=caption.chunk.span.start_s,
            end_s=caption.chunk.span.end_s,
            text=caption.text,
            status=caption.verdict.status if caption.verdict else None,
            summary=caption.verdict.summary if caption.verdict else None,
            failure=f"{caption.failure.code}: {caption.failure.message}" if caption.failure else None,
            stats=caption.stats,
        )


class Happening(Wire):
    """What events and incidents have in common."""

    id: str
    job_id: str
    kind: Kind
    severity: Severity
    objects: list[str]
    start_s: float
    end_s: float
    clock: str | None
    start_at: dt.datetime | None
    end_at: dt.datetime | None
    positions: list[PositionOut]
    description: str
    basis: Basis = Basis.VLM


class EventOut(Happening):
    """Something that happened within one chunk."""

    chunk_index: int
    confidence: float | None

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The wire form of an event."""
        return cls(**_shared(event), chunk_index=event.chunk_index, confidence=event.confidence)


class IncidentOut(Happening):
    """Events merged into one thing that a person acts on."""

    phase: Phase
    event_ids: list[str]

    @classmethod
    def of(cls, incident: Incident) -> IncidentOut:
        """The wire form of an incident."""
        return cls(**_shared(incident), phase=incident.phase, event_ids=list(incident.event_ids))


def _shared(happening: Event | Incident) -> dict[str, Any]:
    return {
        "id": happening.id,
        "job_id": happening.job_id,
        "kind": happening.kind,
        "severity": happening.severity,
        "objects": list(happening.objects),
        "start_s": happening.span.start_s,
        "end_s": happening.span.end_s,
        "clock": happening.clock,
        "start_at": happening.start_at,
        "end_at": happening.end_at,
        "positions": [PositionOut.of(p) for p in happening.positions],
        "description": happening.description,
        "basis": happening.basis,
    }


class DeliveryOut(Wire):
    """A notification for one receiver and how far its sending got."""

    id: str
    receiver: str
    incident_id: str
    type: str
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    next_attempt_at: dt.datetime
    sent_at: dt.datetime | None
    last_error: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        """The wire form of a delivery."""
        return cls(
            id=delivery.message.id,
            receiver=delivery.message.receiver,
            incident_id=delivery.message.incident_id,
            type=delivery.message.type,
            state=delivery.state,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            next_attempt_at=delivery.next_attempt_at,
            sent_at=delivery.sent_at,
            last_error=delivery.last_error,
        )


class QuestionIn(Wire):
    """A question about one job's video."""

    question: str = Field(min_length=1, max_length=2000)


class Citation(Wire):
    """What an answer rests on; `start_s` seeks the player."""

    source: str = Field(description='"event", "incident" or "caption"')
    id: str
    start_s: float
    end_s: float
    text: str


class AnswerOut(Wire):
    """An answer with its citations. `written_by` is a model's name, or "extractive"."""

    answer: str
    citations: list[Citation]
    written_by: str


class AlertData(Wire):
    """The `data` member of an alert (Standard Webhooks body): one change of one incident."""

    change: Change
    sequence: int
    incident: IncidentOut
    source: str = Field(description="Name of the video")
    model: str | None


class AboutOut(Wire):
    """What this service is connected to. `vlm_note` says so when the VLM is the reference program."""

    version: str
    via_backend: str
    vlm_model: str | None
    vlm_note: str | None
    receivers: list[str]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
