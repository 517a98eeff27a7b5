"""What is to be done and sent: jobs, messages, deliveries."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from extension.model.words import DeliveryState, JobStatus, VlmUse


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a replay that shows the log without a jump: it begins at `media_s` of the video and shows `start_at` there."""

    media_s: float
    start_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Beat:
    """From chunk `number` on, which begins at `media_s`, a chunk of a camera begins every `stride_s` seconds."""

    number: int
    media_s: float
    stride_s: float


@dataclass(frozen=True, slots=True)
class JobOptions:
    """What a caller may choose for one job. Zero or None means: take the service's default.

    Attributes:
        speed: Log seconds per media second of a replay (3.0 for a replay at 3x); 1.0 for ordinary video.
        chunk_s: Chunk length in whole seconds.
        frames_per_chunk: Frames shown to the VLM per chunk.
        prompt: Name of the prompt ("replay", "simple_view", "twin_view" or "camera").
        merge_gap_s: Contacts of the same objects closer than this (media seconds) are one incident.
        start_at: Wall clock of the first frame, where it is known; without it, a replay's clock and log tell.
        vlm: Which chunks of a replay with a log the VLM is asked about.
        geometry: Whether the log's coordinates judge what the VLM says and tell what it misses.
        level: How a job that has only a log is drawn ("abstract", "simplified" or "full").
        pieces: The parts of a replay that leaves out what is calm, by time; empty for one that leaves out nothing.
        beats: How the windows of a camera are numbered, by number; empty for what is no camera.
    """

    speed: float = 1.0
    chunk_s: int = 0
    frames_per_chunk: int = 0
    prompt: str = "replay"
    merge_gap_s: float | None = None
    start_at: dt.datetime | None = None
    vlm: VlmUse = VlmUse.ALL
    geometry: bool = True
    level: str = "abstract"
    pieces: tuple[Piece, ...] = ()
    beats: tuple[Beat, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One source to be analysed, and how far it got. `judged_chunks` chunks, counted from the start, are judged and stored."""

    id: str
    name: str
    media_path: str
    trajectory_path: str | None
    options: JobOptions
    status: JobStatus
    created_at: dt.datetime
    error: str | None = None
    model: str | None = None
    media_s: float | None = None
    chunk_count: int | None = None
    answered_chunks: int = 0
    failed_chunks: int = 0
    judged_chunks: int = 0
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A notification for one receiver as it will be sent: `body` is the exact JSON text, `id` the receiver's idempotency key."""

    id: str
    receiver: str
    incident_id: str
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message and how far its sending got."""

    message: Message
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    next_attempt_at: dt.datetime
    last_error: str | None = None
    sent_at: dt.datetime | None = None
