"""The values that travel through the pipeline. They hold no behaviour beyond their own arithmetic.

Media offsets end in `_s` (seconds from the first frame of the source), wall-clock instants in `_at` (aware UTC).
"""

from __future__ import annotations

from extension.model.briefs import Brief, Origin, Snapshot, Zone
from extension.model.findings import (
    Announcement,
    Caption,
    Chunk,
    Claim,
    Event,
    Failure,
    Incident,
    Position,
    Span,
    Verdict,
)
from extension.model.jobs import (
    Beat,
    Delivery,
    Job,
    JobOptions,
    Message,
    Piece,
)
from extension.model.words import (
    Basis,
    Change,
    Check,
    DeliveryState,
    JobStatus,
    Kind,
    Phase,
    Severity,
    VlmUse,
)

__all__ = [
    "Announcement",
    "Basis",
    "Beat",
    "Brief",
    "Caption",
    "Change",
    "Check",
    "Chunk",
    "Claim",
    "Delivery",
    "DeliveryState",
    "Event",
    "Failure",
    "Incident",
    "Job",
    "JobOptions",
    "JobStatus",
    "Kind",
    "Message",
    "Origin",
    "Phase",
    "Piece",
    "Position",
    "Severity",
    "Snapshot",
    "Span",
    "Verdict",
    "VlmUse",
    "Zone",
]
