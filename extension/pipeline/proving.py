"""Keeps the evidence of a job's incidents at its end. What cannot be made is logged and fails nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from extension import VERSION
from extension.captions.prompts import load
from extension.evidence.account import Case, Context
from extension.evidence.collect import PYAV, collect
from extension.evidence.digests import Stopped as GivenUp
from extension.evidence.parts import whole
from extension.evidence.wanted import Limits
from extension.model import Caption, Event, Incident, Job
from extension.pipeline.patience import Stopped

_LOG = structlog.get_logger(__name__)


def prove(
    folder: Path,
    job: Job,
    findings: tuple[Sequence[Incident], Sequence[Event], Sequence[Caption]],
    parameters: dict[str, Any],
    most_incidents: int,
    keep_going: Callable[[], bool],
) -> None:
    """Keep clip, snapshot and manifest of every incident in the job's folder of outputs.

    Args:
        folder: The job's folder of outputs.
        job: The job.
        findings: Its incidents, events and captions.
        parameters: How it was looked at, beside its own options.
        most_incidents: Of more incidents, only the worst get evidence; 0 makes none.
        keep_going: Asked for each frame; false gives up.

    Raises:
        Stopped: when it was given up; what is complete stays.
    """
    if not most_incidents:
        return
    incidents, events, captions = findings
    asked = any(caption.asked for caption in captions)
    context = Context(
        job_id=job.id,
        source=job.name,
        model=job.model if asked else None,
        prompt=load(job.options.prompt) if asked else None,
        parameters={**parameters, **_chosen(job)},
        version=VERSION,
        pyav=PYAV,
    )
    cases = [Case(incident, events, captions) for incident in incidents]
    parts = whole(Path(job.media_path), job.media_s) if job.media_s else ()
    try:
        kept = collect(folder, cases, parts, context, Limits(incidents=most_incidents), keep_going)
    except GivenUp as exc:
        raise Stopped from exc
    for one in kept.collected:
        for lack in one.missing:
            _LOG.warning(
                "evidence_incomplete",
                job=job.id,
                incident=one.incident_id,
                file=lack.name,
                reason=lack.reason,
            )
    if kept.left_out:
        _LOG.warning("evidence_left_out", job=job.id, incidents=len(kept.left_out))


def _chosen(job: Job) -> dict[str, Any]:
    """The job's own options that bear on what was found."""
    options = asdict(job.options)
    return {name: options[name] for name in ("speed", "chunk_s", "frames_per_chunk", "vlm", "geometry")}
