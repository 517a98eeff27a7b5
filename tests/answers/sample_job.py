"""One judged replay at 3x, with four incidents, and captions of a camera that saw nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from extension.answers import answer
from extension.model import Event, Incident, Kind, Phase, Position, Severity, Span
from extension.wire import AnswerOut
from tests.store import values

JOB = values.job(
    media_s=60.0, chunk_count=30, judged_chunks=30, options=replace(values.job().options, speed=3.0)
)


def incident(
    incident_id: str,
    span: Span,
    objects: tuple[str, ...],
    clock: str | None,
    severity: Severity = Severity.DANGER,
    kind: Kind = Kind.COLLISION,
) -> Incident:
    """An incident of the sample."""
    return Incident(
        id=incident_id,
        job_id="job-1",
        kind=kind,
        objects=objects,
        phase=Phase.RESOLVED,
        severity=severity,
        span=span,
        event_ids=(f"{incident_id}-e",),
        description=f"{' and '.join(objects)} overlap",
        clock=clock,
        start_at=dt.datetime(2025, 1, 1, 15, 0, tzinfo=dt.UTC),
        positions=(Position("obj001", 12.5, 0.0, -3.0),),
    )


INCIDENTS = (
    incident("i-1", Span(9.4, 10.4), ("1", "4"), "00:00:28"),
    incident("i-2", Span(20.0, 24.0), ("2", "3"), "00:01:00", Severity.WARN, Kind.NEAR_MISS),
    incident("i-3", Span(31.2, 32.0), ("1", "3"), "00:01:33", Severity.EXTREME),
    incident("i-4", Span(45.0, 47.5), ("1", "4"), "00:02:15"),
)
EVENTS: tuple[Event, ...] = (
    values.event("e-1", 4, span=Span(9.4, 10.0)),
    values.event("e-2", 5, span=Span(10.0, 10.4)),
)
CAPTIONS = tuple(values.caption(index) for index in range(30))
CAMERA_CAPTIONS = (
    values.caption(0, "A worker with a yellow helmet walks past a forklift."),
    values.caption(1, "A worker carries a ladder. No helmet is worn."),
    values.caption(2, "작업자가 안전모를 쓰고 지게차 옆을 지나간다."),
    values.caption(3, "The hall is empty."),
)


def ask(question: str) -> AnswerOut:
    """Ask about the sample without a model."""
    return answer(question, JOB, INCIDENTS, EVENTS, CAPTIONS, None)


def cited(out: AnswerOut) -> list[str]:
    """What an answer rests on."""
    return [citation.id for citation in out.citations]
