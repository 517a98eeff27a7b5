"""Alerts, deliveries, questions, and what the service says of itself, on the wire."""

from __future__ import annotations

import datetime as dt

from pydantic import Field

from extension.model import Change, Delivery, DeliveryState
from extension.wire.findings import IncidentOut
from extension.wire.form import Wire


class DeliveryOut(Wire):
    """A notification for one receiver and how far its sending got."""

    id: str
    receiver: str
    incident_id: str
    type: str
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    next_attempt_at: dt.datetime
    sent_at: dt.datetime | None
    last_error: str | None

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryOut:
        """The wire form of a delivery."""
        return cls(
            id=delivery.message.id,
            receiver=delivery.message.receiver,
            incident_id=delivery.message.incident_id,
            type=delivery.message.type,
            state=delivery.state,
            attempts=delivery.attempts,
            created_at=delivery.created_at,
            next_attempt_at=delivery.next_attempt_at,
            sent_at=delivery.sent_at,
            last_error=delivery.last_error,
        )


class QuestionIn(Wire):
    """A question about one job's video."""

    question: str = Field(min_length=1, max_length=2000)


class Citation(Wire):
    """What an answer rests on; `start_s` seeks the player."""

    source: str = Field(description='"event", "incident" or "caption"')
    id: str
    start_s: float
    end_s: float
    text: str


class AnswerOut(Wire):
    """An answer with its citations. `written_by` is a model's name, or "extractive"."""

    answer: str
    citations: list[Citation]
    written_by: str


class AlertData(Wire):
    """The `data` member of an alert (Standard Webhooks body): one change of one incident."""

    change: Change
    sequence: int
    incident: IncidentOut
    source: str = Field(description="Name of the video")
    model: str | None
    evidence: str | None = Field(
        default=None,
        description="Path on this service where clip, snapshot and manifest are, or will be once they are made",
    )


class AboutOut(Wire):
    """What this service is connected to. `vlm_note` says so when the VLM is the reference program."""

    version: str
    via_backend: str
    vlm_model: str | None
    vlm_note: str | None
    receivers: list[str]
