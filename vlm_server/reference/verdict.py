"""From what a skill saw to the verdict a request gets; shapes and words only.

The verdict schema (version 1) is shared with every VLM this project speaks to.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from vlm_server.reference.errors import RequestRefused
from vlm_server.reference.wire import ResponseFormat

NO_PICTURE = (
    "This endpoint is a deterministic vision program, not a language model: it reads pictures and video "
    "of replay views and cameras and cannot write prose. Send frames to get a verdict."
)


class SeenEvent(BaseModel):
    """One thing that happened, on the request's own time axis; `end_s` is out. `confidence` (0 to 1) is a score, no probability."""

    kind: str
    start_s: float
    end_s: float
    severity: str
    objects: list[str]
    clock: str | None = None
    description: str
    confidence: float | None = None


class Verdict(BaseModel):
    """What a chunk shows; `clock` is the burnt-in clock of its first frame."""

    status: str
    events: list[SeenEvent]
    summary: str
    clock: str | None = None


def to_json(verdict: Verdict) -> str:
    """Write a verdict as the compact JSON of version 1; an unread clock is left out."""
    return json.dumps(verdict.model_dump(exclude_none=True), ensure_ascii=False, separators=(", ", ": "))


def check_format(wanted: ResponseFormat | None) -> None:
    """Refuse, with 400, a schema that demands top-level keys the verdict lacks."""
    if wanted is None or wanted.type != "json_schema":
        return
    if wanted.json_schema is None or wanted.json_schema.schema_ is None:
        raise RequestRefused("response_format json_schema needs a schema", param="response_format")
    required: Any = wanted.json_schema.schema_.get("required", [])
    keys = required if isinstance(required, list) else []
    lacking = sorted({str(key) for key in keys} - set(Verdict.model_fields))
    if lacking:
        raise RequestRefused(
            f"This server always answers the verdict ({', '.join(Verdict.model_fields)}); "
            f"the schema also requires: {', '.join(lacking)}",
            param="response_format",
        )
