"""Values that the tests of the store, the notifications and the answers are about."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

from extension.model import (
    Caption,
    Chunk,
    Claim,
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
from extension.store import Store

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)


class SetClock:
    """A clock that a test sets."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        """The instant that was set."""
        return self.at

    def monotonic_s(self) -> float:
        """Seconds since noon."""
        return (self.at - NOON).total_seconds()

    def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.pass_s(seconds)

    def pass_s(self, seconds: float) -> None:
        """Move on by so many seconds."""
        self.at += dt.timedelta(seconds=seconds)


def store_url(folder: Path) -> str:
    """Address of a database in a folder."""
    return f"sqlite:///{folder / 'alerts.db'}"


def open_store(folder: Path, clock: SetClock | None = None, **options: Any) -> Store:
    """A store in a folder."""
    return Store.open(store_url(folder), clock or SetClock(), **options)


def job(job_id: str = "job-1", **changes: Any) -> Job:
    """A queued job."""
    values: dict[str, Any] = {
        "id": job_id,
        "name": "dock.mp4",
        "media_path": "/media/dock.mp4",
        "trajectory_path": None,
        "options": JobOptions(),
        "status": JobStatus.QUEUED,
        "created_at": NOON,
    }
    return Job(**values | changes)


def chunk(index: int, chunk_s: float = 2.0) -> Chunk:
    """Chunk `index` of a source cut into equal chunks."""
    return Chunk(index, Span(index * chunk_s, (index + 1) * chunk_s))


def caption(index: int, summary: str = "All is calm.", *, text: str = "{}") -> Caption:
    """A caption whose verdict is safe."""
    return Caption(chunk(index), text, Verdict(Severity.SAFE, (), summary), None, {"prompt": "replay.v1"})


def collision_caption(index: int) -> Caption:
    """A caption whose verdict claims a collision."""
    span = Span(index * 2.0 + 0.4, index * 2.0 + 1.4)
    claim = Claim(Kind.COLLISION, span, Severity.DANGER, ("1", "4"), "00:00:28", "1 and 4 overlap", 0.9)
    return Caption(chunk(index), "raw", Verdict(Severity.DANGER, (claim,), "A contact."), None)


def failed_caption(index: int, code: str = "Unreachable") -> Caption:
    """A caption that has no verdict."""
    return Caption(chunk(index), "", None, Failure(code, "the VLM does not answer"))


def event(event_id: str = "e-1", index: int = 0, **changes: Any) -> Event:
    """A collision of 1 and 4 in chunk `index`."""
    values: dict[str, Any] = {
        "id": event_id,
        "job_id": "job-1",
        "chunk_index": index,
        "kind": Kind.COLLISION,
        "span": Span(index * 2.0, index * 2.0 + 1.0),
        "severity": Severity.DANGER,
        "objects": ("1", "4"),
        "clock": "00:00:28",
        "description": "1 and 4 overlap",
        "confidence": 0.9,
        "start_at": NOON,
        "end_at": NOON + dt.timedelta(seconds=1),
        "positions": (Position("obj001", 1.5, 0.0, -2.25), Position("obj004", 1.0, 0.0, -2.0)),
    }
    return Event(**values | changes)


def incident(incident_id: str = "i-1", **changes: Any) -> Incident:
    """An open incident of one collision of 1 and 4."""
    values: dict[str, Any] = {
        "id": incident_id,
        "job_id": "job-1",
        "kind": Kind.COLLISION,
        "objects": ("1", "4"),
        "phase": Phase.OPEN,
        "severity": Severity.DANGER,
        "span": Span(0.0, 1.0),
        "event_ids": ("e-1",),
        "description": "1 and 4 overlap",
        "clock": "00:00:28",
        "start_at": NOON,
        "end_at": NOON + dt.timedelta(seconds=1),
        "positions": (Position("obj001", 1.5, 0.0, -2.25),),
    }
    return Incident(**values | changes)


def message(
    message_id: str = "msg_i-1_1_ops", *, receiver: str = "ops", incident_id: str = "i-1", sequence: int = 1
) -> Message:
    """A message about an incident."""
    body = json.dumps({"type": "incident.opened", "data": {"sequence": sequence}})
    return Message(message_id, receiver, incident_id, "incident.opened", body)


def store_messages(store: Store, *messages: Message) -> None:
    """Put messages into the outbox of `job-1`, which is made if need be."""
    if not store.jobs():
        store.add_job(job())
    store.commit_judgement("job-1", judged_chunks=1, events=(), incidents=(), messages=messages)
