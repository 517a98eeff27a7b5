"""Captions, events and incidents on the wire."""

from __future__ import annotations

import datetime as dt
from typing import Any

from extension.model import Basis, Caption, Check, Event, Incident, Kind, Phase, Position, Severity
from extension.wire.form import Wire


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
    check: Check = Check.ONCE


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
        "check": happening.check,
    }
