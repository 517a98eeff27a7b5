"""Values that tests of the API and the page are fed with."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import av
import numpy as np

from extension.model import (
    Caption,
    Chunk,
    Claim,
    Delivery,
    DeliveryState,
    Event,
    Failure,
    Incident,
    Job,
    JobOptions,
    JobStatus,
    Kind,
    Message,
    Phase,
    Position,
    Severity,
    Span,
    Verdict,
)

BEGIN = dt.datetime(2026, 5, 4, 1, 2, 3, tzinfo=dt.UTC)
CLIP_S = 20


def draw_clip(path: Path, seconds: int = CLIP_S) -> Path:
    """A small H.264 video in which a bright square walks from left to right."""
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "10"}
        for index in range(seconds * 10):
            picture = np.full((180, 320, 3), (24, 32, 48), np.uint8)
            left = int(index / (seconds * 10) * 280)
            picture[70:110, left : left + 40] = (240, 190, 80)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def job(job_id: str = "job-1", media: Path = Path("/nowhere/yard.mp4"), **changes: object) -> Job:
    """A finished job of ten chunks, one of which failed, unless told otherwise."""
    fields: dict[str, object] = {
        "id": job_id,
        "name": media.name,
        "media_path": str(media),
        "trajectory_path": None,
        "options": JobOptions(speed=3.0),
        "status": JobStatus.DONE,
        "created_at": BEGIN,
        "model": "test-model",
        "media_s": float(CLIP_S),
        "chunk_count": 10,
        "judged_chunks": 10,
        "started_at": BEGIN,
        "finished_at": BEGIN + dt.timedelta(seconds=30),
    }
    return Job(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def caption(index: int, *, failed: bool = False, text: str = "all calm") -> Caption:
    """The caption of chunk `index`, two seconds long."""
    chunk = Chunk(index, Span(index * 2.0, index * 2.0 + 2.0))
    if failed:
        return Caption(chunk, "gibberish", None, Failure("VlmGarbled", "The answer is not a verdict."))
    claim = Claim(Kind.COLLISION, chunk.span, Severity.DANGER, ("3", "7"))
    return Caption(chunk, text, Verdict(Severity.DANGER, (claim,), text), None, {"tokens": 12})


def event(job_id: str = "job-1", index: int = 0, *, start_s: float = 4.2, **changes: object) -> Event:
    """A collision of 3 and 7."""
    fields: dict[str, object] = {
        "id": f"{job_id}-event-{index}",
        "job_id": job_id,
        "chunk_index": int(start_s // 2),
        "kind": Kind.COLLISION,
        "span": Span(start_s, start_s + 1.5),
        "severity": Severity.DANGER,
        "objects": ("3", "7"),
        "clock": "00:00:12",
        "description": "3 and 7 touch",
        "start_at": BEGIN,
        "positions": (Position("3", 120.5, 0.0, -42.0), Position("7", 133.25, 0.0, -40.0)),
    }
    return Event(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def incident(job_id: str = "job-1", index: int = 0, **changes: object) -> Incident:
    """An open incident of one event."""
    fields: dict[str, object] = {
        "id": f"{job_id}-incident-{index}",
        "job_id": job_id,
        "kind": Kind.COLLISION,
        "objects": ("3", "7"),
        "phase": Phase.OPEN,
        "severity": Severity.DANGER,
        "span": Span(4.2, 5.7),
        "event_ids": (f"{job_id}-event-{index}",),
        "description": "3 and 7 touch",
        "clock": "00:00:12",
        "positions": (Position("3", 120.5, 0.0, -42.0),),
    }
    return Incident(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field


def message(incident_id: str = "job-1-incident-0", index: int = 0) -> Message:
    """A message to the receiver `hook`."""
    return Message(f"{incident_id}-message-{index}", "hook", incident_id, "incident.opened", "{}")


def delivery(incident_id: str = "job-1-incident-0", index: int = 0, **changes: object) -> Delivery:
    """A delivery that is still pending."""
    fields: dict[str, object] = {
        "message": message(incident_id, index),
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "created_at": BEGIN,
        "next_attempt_at": BEGIN,
    }
    return Delivery(**{**fields, **changes})  # type: ignore[arg-type]  # tests change any field
