"""Incidents, and what they rest on, for tests of evidence."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

from extension.captions.prompts import Prompt
from extension.evidence.account import Case, Context
from extension.model import (
    Basis,
    Caption,
    Chunk,
    Claim,
    Event,
    Incident,
    Kind,
    Phase,
    Position,
    Severity,
    Span,
    Verdict,
)

SEOUL = dt.timezone(dt.timedelta(hours=9))
NOON = dt.datetime(2026, 5, 4, 12, 0, tzinfo=SEOUL)
CONTEXT = Context(
    job_id="job-1",
    source="yard.mp4",
    model="test-model",
    prompt=Prompt("simple_view.v1", "You watch a replay.", "What happened?"),
    parameters={"frames_per_chunk": 8, "chunk_s": 2},
    version="0.1.0",
    pyav="18.1.0",
)


def event(start_s: float, end_s: float, number: int = 0, **changes: Any) -> Event:
    """A collision of 3 and 7."""
    made = Event(
        id=f"event-{number}",
        job_id="job-1",
        chunk_index=int(start_s // 2),
        kind=Kind.COLLISION,
        span=Span(start_s, end_s),
        severity=Severity.DANGER,
        objects=("3", "7"),
        description="3 and 7 touch",
        start_at=NOON + dt.timedelta(seconds=start_s),
        positions=(Position("3", 1.5, 0.0, -2.0),),
        basis=Basis.BOTH,
    )
    return replace(made, **changes)


def incident(*events: Event, name: str = "incident-0", **changes: Any) -> Incident:
    """The incident that events were merged into."""
    made = Incident(
        id=name,
        job_id="job-1",
        kind=Kind.COLLISION,
        objects=("3", "7"),
        phase=Phase.RESOLVED,
        severity=Severity.DANGER,
        span=Span(min(e.span.start_s for e in events), max(e.span.end_s for e in events)),
        event_ids=tuple(e.id for e in events),
        description="3 and 7 touch",
        start_at=events[0].start_at,
        basis=Basis.BOTH,
    )
    return replace(made, **changes)


def caption(index: int, *claims: Claim, text: str = "", **stats: Any) -> Caption:
    """The answer for a chunk of two seconds."""
    chunk = Chunk(index, Span(index * 2.0, index * 2.0 + 2.0))
    status = Severity.DANGER if claims else Severity.SAFE
    text = text or f'{{"status": "{status}", "events": []}}'
    return Caption(chunk, text, Verdict(status, claims, "a sentence"), None, {"tokens": 12, **stats})


def claim(start_s: float, end_s: float, *objects: str) -> Claim:
    """What the VLM said."""
    return Claim(Kind.COLLISION, Span(start_s, end_s), Severity.DANGER, objects or ("3", "7"))


def case(start_s: float, end_s: float, number: int = 0, **changes: Any) -> Case:
    """An incident of one event that a claim stands behind."""
    happened = event(start_s, end_s, number)
    answer = caption(happened.chunk_index, claim(start_s, end_s))
    return Case(incident(happened, name=f"incident-{number}", **changes), (happened,), (answer,))
