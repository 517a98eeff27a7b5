"""What crosses our own REST API, as pydantic models, and the only place where domain values become wire values."""

from __future__ import annotations

from extension.wire.briefs import BriefIn, BriefOut, ZoneIO
from extension.wire.cameras import CameraOut
from extension.wire.findings import (
    CaptionOut,
    EventOut,
    Happening,
    IncidentOut,
    PositionOut,
)
from extension.wire.form import (
    Problem,
    Wire,
)
from extension.wire.jobs import (
    JobIn,
    JobOut,
    PieceIn,
)
from extension.wire.talk import (
    AboutOut,
    AlertData,
    AnswerOut,
    Citation,
    DeliveryOut,
    QuestionIn,
)

__all__ = [
    "AboutOut",
    "AlertData",
    "AnswerOut",
    "BriefIn",
    "BriefOut",
    "CameraOut",
    "CaptionOut",
    "Citation",
    "DeliveryOut",
    "EventOut",
    "Happening",
    "IncidentOut",
    "JobIn",
    "JobOut",
    "PieceIn",
    "PositionOut",
    "Problem",
    "QuestionIn",
    "Wire",
    "ZoneIO",
]
