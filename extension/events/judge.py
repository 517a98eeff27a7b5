"""Judges one caption: which of its claims are events. Pure; knows nothing of other chunks, incidents or receivers."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace

from extension.model import Caption, Claim, Event, Kind, Position, Severity

_NAMESPACE = uuid.UUID("6f0f3a2e-6d0b-5d0a-9f1c-0f7f6b1f4c11")

Locate = Callable[[Sequence[str], dt.datetime], tuple[Position, ...]]
ToWorld = Callable[[float], dt.datetime | None]


def events(job_id: str, caption: Caption, to_world: ToWorld, locate: Locate) -> tuple[Event, ...]:
    """The events of one caption, in order of time; none for a caption without verdict.

    Args:
        job_id: The job that the caption belongs to.
        caption: The answer for one chunk.
        to_world: Wall clock of a media offset (seconds), or None when nothing anchors it.
        locate: Positions of objects at a wall-clock instant; empty when no log is there.
    """
    if caption.verdict is None:
        return ()
    claims = sorted(
        {c for c in map(_within_policy, caption.verdict.claims) if c.severity is not Severity.SAFE},
        key=lambda c: (c.span.start_s, c.span.end_s, c.objects, c.kind),
    )
    return tuple(_event(job_id, caption, n, claim, to_world, locate) for n, claim in enumerate(claims))


def _within_policy(claim: Claim) -> Claim:
    """A near miss is a warning at most, whatever the model called it."""
    if claim.kind is not Kind.NEAR_MISS or claim.severity.rank <= Severity.WARN.rank:
        return claim
    return replace(claim, severity=Severity.WARN)


def _event(
    job_id: str, caption: Caption, number: int, claim: Claim, to_world: ToWorld, locate: Locate
) -> Event:
    start_at, end_at = to_world(claim.span.start_s), to_world(claim.span.end_s)
    return Event(
        id=str(uuid.uuid5(_NAMESPACE, f"{job_id}/{caption.chunk.index}/{number}")),
        job_id=job_id,
        chunk_index=caption.chunk.index,
        kind=claim.kind,
        span=claim.span,
        severity=claim.severity,
        objects=claim.objects,
        clock=claim.clock,
        description=claim.description,
        confidence=claim.confidence,
        start_at=start_at,
        end_at=end_at,
        positions=locate(claim.objects, start_at) if start_at and claim.objects else (),
        check=claim.check,
    )
