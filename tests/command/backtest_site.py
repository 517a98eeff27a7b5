"""A data folder with a database in it, as a service leaves it: one camera, one recording, one replay with its log."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from extension import settings
from extension.clock import SystemClock
from extension.model import (
    Basis,
    Caption,
    Event,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Phase,
    Severity,
    Span,
)
from extension.pipeline.live.lane import job_id
from extension.store import Store
from tests.pipeline.backtest.samples import START, caption, checked, claim

CAMERA = "gate-3"
FILE_JOB = "0f0f0f0f-1111-2222-3333-444444444444"


def configured(folder: Path, **changes: object) -> settings.Settings:
    """The settings of a data folder."""
    return settings.load(None, data_dir=folder, **changes)


def live_windows() -> list[Caption]:
    """Windows of 10 s, one every 5 s: two falls 12 s apart, one that a second look rejected, one that the gate would have left out."""
    rows: list[Caption] = []
    for number in range(24):
        span = Span(5.0 * number, 5.0 * number + 10)
        seen = [
            one
            for one in (claim(22.0, 24.0), claim(36.0, 38.0))
            if one.span.start_s < span.end_s and span.start_s < one.span.end_s
        ]
        rows.append(caption(number, span, *seen, stats={"gate": {"decision": "look", "mode": "shadow"}}))
    rows[12] = checked(caption(12, Span(60.0, 70.0), claim(62.0, 64.0)))
    rows[18] = caption(
        18,
        Span(90.0, 100.0),
        claim(92.0, 93.0, Kind.SMOKE, Severity.WARN),
        stats={"gate": {"decision": "gated"}},
    )
    rows[20] = caption(20, Span(100.0, 110.0), failure="Timeout")
    return rows


def with_camera(folder: Path, captions: Sequence[Caption] | None = None) -> settings.Settings:
    """A data folder whose service watched a camera."""
    known = configured(folder)
    store = Store.open(known.database, SystemClock())
    options = JobOptions(prompt="camera", start_at=START)
    store.add_job(Job(job_id(CAMERA), CAMERA, "", None, options, JobStatus.LIVE, START))
    store.save_captions(job_id(CAMERA), live_windows() if captions is None else captions)
    store.commit_judgement(
        job_id(CAMERA), judged_chunks=24, events=[_down_event()], incidents=[_down()], messages=[]
    )
    store.close()
    return known


def with_recording(folder: Path, gap_s: float | None = None) -> settings.Settings:
    """A data folder whose service analysed a recording in chunks of 10 s."""
    known = configured(folder)
    store = Store.open(known.database, SystemClock())
    options = JobOptions(prompt="camera", merge_gap_s=gap_s)
    store.add_job(Job(FILE_JOB, "yard.mp4", "/x/yard.mp4", None, options, JobStatus.QUEUED, START))
    rows = [
        caption(
            n, Span(10.0 * n, 10.0 * n + 10), *([claim(10.0 * n + 2, 10.0 * n + 4)] if n in {1, 2} else [])
        )
        for n in range(6)
    ]
    store.save_captions(FILE_JOB, rows)
    store.close()
    return known


def _down() -> Incident:
    """An incident of the recording itself, which no answer tells of."""
    return Incident(
        "down", job_id(CAMERA), Kind.OTHER, (CAMERA,), Phase.RESOLVED, Severity.DANGER, Span(70.0, 80.0), ("e",),
        basis=Basis.CAPTURE,
    )  # fmt: skip


def _down_event() -> Event:
    return Event(
        "e", job_id(CAMERA), -1, Kind.OTHER, Span(70.0, 80.0), Severity.DANGER, (CAMERA,), basis=Basis.CAPTURE
    )
