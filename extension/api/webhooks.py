"""What our own callbacks look like, for the OpenAPI document. Nothing is sent from here."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, FastAPI
from pydantic import AwareDatetime, ConfigDict, JsonValue

from extension.wire import AlertData, Wire

_EXAMPLE: dict[str, JsonValue] = {
    "type": "incident.opened",
    "timestamp": "2026-05-04T01:02:03Z",
    "data": {
        "change": "opened",
        "sequence": 1,
        "source": "yard.mp4",
        "model": "reference-vision",
        "evidence": "/api/v1/incidents/5f1d2c1e-0f2a-5a44-9a53-2f3c1f6b6e11/evidence",
        "incident": {
            "id": "5f1d2c1e-0f2a-5a44-9a53-2f3c1f6b6e11",
            "job_id": "0a6d4c4e-5b0d-4c59-8c42-9f7f7a3d2b10",
            "kind": "collision",
            "severity": "danger",
            "objects": ["3", "7"],
            "start_s": 27.4,
            "end_s": 29.0,
            "clock": "00:01:22",
            "start_at": "2026-05-04T00:59:41Z",
            "end_at": "2026-05-04T00:59:46Z",
            "positions": [{"objid": "3", "x": 120.5, "y": 0.0, "z": -42.0}],
            "description": "3 and 7 touch",
            "basis": "both",
            "check": "once",
            "phase": "open",
            "event_ids": ["e-1"],
        },
    },
}


class AlertIn(Wire):
    """An alert as a receiver gets it. Standard Webhooks: the headers webhook-id, webhook-timestamp and webhook-signature go with it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    type: Literal["incident.opened", "incident.updated", "incident.resolved"]
    timestamp: AwareDatetime
    data: AlertData


def install(app: FastAPI) -> None:
    """Describe the incident alert in the app's document."""
    router = APIRouter()

    @router.post("incident", operation_id="incident_alert", tags=["alerts"], status_code=204)
    def incident_alert(body: AlertIn) -> None:
        """An incident opened, changed or was resolved.

        Answer any 2xx once it is safely stored; anything else is tried again later with the same webhook-id, which is the
        idempotency key.
        """

    app.webhooks.include_router(router)
