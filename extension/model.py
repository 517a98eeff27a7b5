"""The values that travel through the pipeline. They hold no behaviour beyond their own arithmetic.

Media offsets end in `_s` (seconds from the first frame of the source), wall-clock instants in `_at` (aware UTC).
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from typing import Any


class Severity(enum.StrEnum):
    """How bad it is, mildest first."""

    SAFE = "safe"
    WARN = "warn"
    DANGER = "danger"
    EXTREME = "extreme"

    @property
    def rank(self) -> int:
        """Place in the order safe < warn < danger < extreme, from 0."""
        return list(Severity).index(self)


class Kind(enum.StrEnum):
    """What happened."""

    COLLISION = "collision"
    FALL = "fall"
    FIRE = "fire"
    SMOKE = "smoke"
    INTRUSION = "intrusion"
    ENTRAPMENT = "entrapment"
    SPILL = "spill"
    NEAR_MISS = "near_miss"
    OTHER = "other"


class JobStatus(enum.StrEnum):
    """Life of a job. `DONE` may still hold failed chunks; their number is part of the job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class VlmUse(enum.StrEnum):
    """Which chunks of a replay with a log the VLM is asked about; without a log it is asked about all."""

    ALL = "all"
    CANDIDATES = "candidates"
    OFF = "off"


class Basis(enum.StrEnum):
    """What an event rests on: the VLM's answer, the coordinates of the log, or both."""

    VLM = "vlm"
    LOG = "log"
    BOTH = "both"


class Phase(enum.StrEnum):
    """Life of an incident."""

    OPEN = "open"
    RESOLVED = "resolved"


class Change(enum.StrEnum):
    """What there is to announce about an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    RESOLVED = "resolved"


class DeliveryState(enum.StrEnum):
    """Life of a delivery. `FAILED` is given up: permanent refusal, or the schedule is used up."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open span of media time: `start_s` is in, `end_s` is out."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Chunk:
    """The span of media time that the VLM sees at once; `index` counts from 0 within its job."""

    index: int
    span: Span


@dataclass(frozen=True, slots=True)
class Claim:
    """One thing that a verdict says happened.

    `span` is media time of the whole source (not of the chunk); `clock` is the burnt-in clock at its start, as text "HH:MM:SS".
    """

    kind: Kind
    span: Span
    severity: Severity
    objects: tuple[str, ...] = ()
    clock: str | None = None
    description: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The part of a caption that follows the schema; `clock` is the burnt-in clock at the chunk's first frame."""

    status: Severity
    claims: tuple[Claim, ...]
    summary: str
    clock: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a chunk has no verdict. `code` is a short CamelCase word, `message` one sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Caption:
    """The VLM's answer for a chunk: the raw text and either its verdict or the named failure, never both.

    `stats` is what the override reported beside the answer (tokens, latency, packing, retries), empty when it reported nothing.
    A chunk that the VLM was not asked about has a safe verdict without claims, and stats that say why.
    """

    chunk: Chunk
    text: str
    verdict: Verdict | None
    failure: Failure | None
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def asked(self) -> bool:
        """Whether the VLM was asked about the chunk."""
        return bool(self.stats.get("asked", True))


@dataclass(frozen=True, slots=True)
class Position:
    """Where an object was, in the log's own units (centimetres; y is up, the ground plane is x-z)."""

    objid: str
    x: float
    y: float
    z: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened within one chunk; `chunk_index` is -1 for what the log alone tells of a moment no chunk shows.

    `start_at` and `end_at` are the recorded world's wall clock where a log or a stated start gives one.
    """

    id: str
    job_id: str
    chunk_index: int
    kind: Kind
    span: Span
    severity: Severity
    objects: tuple[str, ...] = ()
    clock: str | None = None
    description: str = ""
    confidence: float | None = None
    start_at: dt.datetime | None = None
    end_at: dt.datetime | None = None
    positions: tuple[Position, ...] = ()
    basis: Basis = Basis.VLM


@dataclass(frozen=True, slots=True)
class Incident:
    """Events merged into one thing that a person acts on."""

    id: str
    job_id: str
    kind: Kind
    objects: tuple[str, ...]
    phase: Phase
    severity: Severity
    span: Span
    event_ids: tuple[str, ...]
    description: str = ""
    clock: str | None = None
    start_at: dt.datetime | None = None
    end_at: dt.datetime | None = None
    positions: tuple[Position, ...] = ()
    basis: Basis = Basis.VLM


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change of an incident that receivers should hear of; `sequence` counts from 1 within the incident."""

    incident: Incident
    change: Change
    sequence: int


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
    """

    speed: float = 1.0
    chunk_s: int = 0
    frames_per_chunk: int = 0
    prompt: str = "replay"
    merge_gap_s: float | None = None
    start_at: dt.datetime | None = None
    vlm: VlmUse = VlmUse.ALL
    geometry: bool = True


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
