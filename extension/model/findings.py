"""What is said of a source: chunks, captions, events, incidents."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from extension.model.words import Basis, Change, Check, Kind, Phase, Severity


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
    check: Check = Check.ONCE


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
    check: Check = Check.ONCE


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
    check: Check = Check.ONCE


@dataclass(frozen=True, slots=True)
class Announcement:
    """A change of an incident that receivers should hear of; `sequence` counts from 1 within the incident."""

    incident: Incident
    change: Change
    sequence: int
