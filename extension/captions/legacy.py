"""Reads the answers that earlier systems' prompts ask for: a list by clock, and the two status lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from extension.captions import schema
from extension.errors import VlmGarbled
from extension.model import Chunk, Claim, Kind, Severity, Span, Verdict

_STATUS = re.compile(r"^[\s*#>-]*safety\s+status[\s*]*:\s*(?P<status>.+?)\s*$", re.IGNORECASE | re.MULTILINE)
_HAZARD = re.compile(
    r"^[\s*#>-]*identified\s+hazard[\s*]*:\s*(?P<hazard>.+?)\s*$", re.IGNORECASE | re.MULTILINE
)
_CATEGORIES = {"fall risk": Kind.FALL, "fall": Kind.FALL, "fire/electric": Kind.FIRE, "fire": Kind.FIRE}
_KINDS = {**_CATEGORIES, "collision": Kind.COLLISION, "smoke": Kind.SMOKE}


def clock_list(
    page: list[Any], chunk: Chunk, clock_to_media: Callable[[str], float | None] | None
) -> Verdict:
    """Read `[{"HH:MM:SS": [ids]}, …]`; ids may be one group or a list of groups.

    A clock that `clock_to_media` can place inside the chunk dates the claim; otherwise it stands for the whole chunk.

    Raises:
        VlmGarbled: when an entry has another form.
    """
    claims = []
    for entry in page:
        if not isinstance(entry, dict):
            raise VlmGarbled("an entry of the list is not an object")
        for key, value in entry.items():
            clock = schema.clock_text(key)
            if clock is None or not isinstance(value, list):
                raise VlmGarbled("an entry of the list is not a time with its objects")
            span = _second(clock, chunk, clock_to_media)
            claims += [_contact(group, clock, span) for group in _groups(value)]
    status = Severity.DANGER if claims else Severity.SAFE
    return Verdict(status, tuple(dict.fromkeys(claims)), "")


def _groups(value: list[Any]) -> list[list[Any]]:
    if any(isinstance(item, list) for item in value):
        if not all(isinstance(item, list) for item in value):
            raise VlmGarbled("an entry of the list mixes objects and groups")
        return value
    return [value] if value else []


def _contact(group: list[Any], clock: str, span: Span) -> Claim:
    objects = tuple(sorted({schema.object_name(o) for o in group}))
    if len(objects) < 2:  # noqa: PLR2004 - a contact needs two
        raise VlmGarbled("a contact names fewer than two objects")
    return Claim(Kind.COLLISION, span, Severity.DANGER, objects, clock)


def _second(clock: str, chunk: Chunk, clock_to_media: Callable[[str], float | None] | None) -> Span:
    at_s = clock_to_media(clock) if clock_to_media else None
    if at_s is None or not chunk.span.start_s - 1 <= at_s < chunk.span.end_s:
        return chunk.span
    start_s = max(at_s, chunk.span.start_s)
    return Span(start_s, start_s)


def status_lines(body: str, chunk: Chunk) -> Verdict | None:
    """Read `Safety Status:` and `Identified Hazard:`; None when the first is missing.

    Raises:
        VlmGarbled: when the status is not one of the four, or stands there twice with different values.
    """
    found = {schema.severity(match["status"]) for match in _STATUS.finditer(body)}
    if not found:
        return None
    if len(found) > 1:
        raise VlmGarbled("the answer names two different statuses")
    status = found.pop()
    match = _HAZARD.search(body)
    hazard = match["hazard"].strip(" *[]") if match else ""
    if status is Severity.SAFE:
        return Verdict(status, (), hazard)
    category = hazard.split(" - ", 1)[0].strip(" *[]").lower()
    return Verdict(
        status, (Claim(_KINDS.get(category, Kind.OTHER), chunk.span, status, description=hazard),), hazard
    )
