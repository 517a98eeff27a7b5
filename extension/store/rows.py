"""Values to rows and back. Pure."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import RowMapping

from extension.model import (
    Basis,
    Beat,
    Caption,
    Check,
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
    Piece,
    Position,
    Severity,
    Span,
    Verdict,
    VlmUse,
)

Values = dict[str, Any]


def job_values(job: Job) -> Values:
    """The row of a job; what is counted from its captions has no column."""
    values = asdict(replace(job, options=JobOptions()))
    del values["answered_chunks"], values["failed_chunks"]
    values["options"] = option_values(job.options)
    values["status"] = job.status.value
    return values


def option_values(options: JobOptions) -> Values:
    """A job's options as JSON."""
    start_at = options.start_at
    return asdict(options) | {
        "start_at": start_at.isoformat() if start_at else None,
        "pieces": [[piece.media_s, piece.start_at.isoformat()] for piece in options.pieces],
        "beats": [[beat.number, beat.media_s, beat.stride_s] for beat in options.beats],
    }


def _options(page: Values) -> JobOptions:
    known = dict(page)
    if known["start_at"]:
        known["start_at"] = _instant(known["start_at"])
    if "vlm" in known:
        known["vlm"] = VlmUse(known["vlm"])
    known["pieces"] = tuple(Piece(media_s, _instant(text)) for media_s, text in known.get("pieces", ()))
    known["beats"] = tuple(Beat(*numbers) for numbers in known.get("beats", ()))
    return JobOptions(**known)


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).astimezone(dt.UTC)


def job(row: RowMapping) -> Job:
    """A job; the row carries `answered_chunks` and `failed_chunks` beside its columns."""
    return Job(
        id=row["id"],
        name=row["name"],
        media_path=row["media_path"],
        trajectory_path=row["trajectory_path"],
        options=_options(row["options"]),
        status=JobStatus(row["status"]),
        created_at=row["created_at"],
        error=row["error"],
        model=row["model"],
        media_s=row["media_s"],
        chunk_count=row["chunk_count"],
        answered_chunks=row["answered_chunks"],
        failed_chunks=row["failed_chunks"],
        judged_chunks=row["judged_chunks"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
    )


def caption_values(job_id: str, caption: Caption) -> Values:
    """The row of a caption."""
    return {
        "job_id": job_id,
        "chunk_index": caption.chunk.index,
        "start_s": caption.chunk.span.start_s,
        "end_s": caption.chunk.span.end_s,
        "text": caption.text,
        "verdict": asdict(caption.verdict) if caption.verdict else None,
        "failure_code": caption.failure.code if caption.failure else None,
        "failure_message": caption.failure.message if caption.failure else None,
        "stats": caption.stats,
    }


def caption(row: RowMapping) -> Caption:
    """A caption."""
    code = row["failure_code"]
    return Caption(
        chunk=Chunk(row["chunk_index"], _span(row)),
        text=row["text"],
        verdict=_verdict(row["verdict"]) if row["verdict"] else None,
        failure=Failure(code, row["failure_message"]) if code is not None else None,
        stats=row["stats"],
    )


def _verdict(page: dict[str, Any]) -> Verdict:
    claims = tuple(_claim(claim) for claim in page["claims"])
    return Verdict(Severity(page["status"]), claims, page["summary"], page["clock"])


def _claim(page: dict[str, Any]) -> Claim:
    return Claim(
        kind=Kind(page["kind"]),
        span=Span(**page["span"]),
        severity=Severity(page["severity"]),
        objects=tuple(page["objects"]),
        clock=page["clock"],
        description=page["description"],
        confidence=page["confidence"],
        check=Check(page.get("check", Check.ONCE)),
    )


def event_values(event: Event) -> Values:
    """The row of an event."""
    return _happening_values(event) | {
        "chunk_index": event.chunk_index,
        "confidence": event.confidence,
    }


def event(row: RowMapping) -> Event:
    """An event."""
    return Event(**_happening(row), chunk_index=row["chunk_index"], confidence=row["confidence"])


def incident_values(incident: Incident) -> Values:
    """The row of an incident."""
    return _happening_values(incident) | {
        "phase": incident.phase.value,
        "event_ids": list(incident.event_ids),
    }


def incident(row: RowMapping) -> Incident:
    """An incident."""
    return Incident(**_happening(row), phase=Phase(row["phase"]), event_ids=tuple(row["event_ids"]))


def _happening_values(happening: Event | Incident) -> Values:
    return {
        "id": happening.id,
        "job_id": happening.job_id,
        "kind": happening.kind.value,
        "start_s": happening.span.start_s,
        "end_s": happening.span.end_s,
        "severity": happening.severity.value,
        "objects": list(happening.objects),
        "clock": happening.clock,
        "description": happening.description,
        "start_at": happening.start_at,
        "end_at": happening.end_at,
        "positions": [asdict(position) for position in happening.positions],
        "basis": happening.basis.value,
        "check": happening.check.value,
    }


def _happening(row: RowMapping) -> Values:
    return {
        "id": row["id"],
        "job_id": row["job_id"],
        "kind": Kind(row["kind"]),
        "span": _span(row),
        "severity": Severity(row["severity"]),
        "objects": tuple(row["objects"]),
        "clock": row["clock"],
        "description": row["description"],
        "start_at": row["start_at"],
        "end_at": row["end_at"],
        "positions": tuple(Position(**position) for position in row["positions"]),
        "basis": Basis(row["basis"]),
        "check": Check(row["check"]),
    }


def delivery_values(job_id: str, message: Message, created_at: dt.datetime) -> Values:
    """The row of a message that nobody has tried to send."""
    return {
        "message_id": message.id,
        "job_id": job_id,
        "receiver": message.receiver,
        "incident_id": message.incident_id,
        "type": message.type,
        "sequence": _sequence(message),
        "body": message.body,
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "created_at": created_at,
        "next_attempt_at": created_at,
    }


def _sequence(message: Message) -> int:
    """The announcement's number within its incident, as the alert itself says (wire.AlertData); 0 when it says none."""
    try:
        sequence = json.loads(message.body)["data"]["sequence"]
    except (ValueError, LookupError, TypeError):
        return 0
    return sequence if isinstance(sequence, int) else 0


def delivery(row: RowMapping) -> Delivery:
    """A delivery."""
    return Delivery(
        message=Message(
            id=row["message_id"],
            receiver=row["receiver"],
            incident_id=row["incident_id"],
            type=row["type"],
            body=row["body"],
        ),
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        created_at=row["created_at"],
        next_attempt_at=row["next_attempt_at"],
        last_error=row["last_error"],
        sent_at=row["sent_at"],
    )


def _span(row: RowMapping) -> Span:
    return Span(row["start_s"], row["end_s"])
