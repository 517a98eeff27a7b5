"""Version 1 of the verdict schema: reading it strictly in structure, kindly in spelling."""

from __future__ import annotations

import math
import re
from typing import Any

from extension.errors import VlmGarbled
from extension.model import Chunk, Claim, Failure, Kind, Severity, Span, Verdict

VERSION = 1
# A time this far outside the chunk cannot be a rounding of its border.
_SLACK_S = 1.0
_OBJECT = re.compile(r"^(?:obj(?:ect)?[\s_#-]*)?0*(\d+)$", re.IGNORECASE)
_CLOCK = re.compile(r"\b(\d{1,2}):([0-5]\d):([0-5]\d)\b")
_KINDS = {
    "contact": Kind.COLLISION,
    "overlap": Kind.COLLISION,
    "crash": Kind.COLLISION,
    "near miss": Kind.NEAR_MISS,
}


def error_marker(page: Any) -> Failure | None:
    """The failure that the override wrote in place of an answer, if this is one."""
    if not (isinstance(page, dict) and isinstance(page.get("error"), dict)):
        return None
    error = page["error"]
    return Failure(str(error.get("code") or "Unknown"), str(error.get("message") or "no reason given"))


def verdict(page: dict[str, Any], chunk: Chunk) -> Verdict:
    """Read a verdict; its times count from the start of the chunk.

    Raises:
        VlmGarbled: when a field that decides something is missing or makes no sense.
    """
    status = severity(page["status"])
    events = page.get("events", [])
    if not isinstance(events, list):
        raise VlmGarbled("events is not a list")
    claims = tuple(_claim(event, chunk, status) for event in events)
    summary = str(page.get("summary") or "")
    if not claims and status is not Severity.SAFE:
        # The status alone says that something happened: it counts for the whole chunk.
        claims = (Claim(Kind.OTHER, chunk.span, status, description=summary),)
    worst = max([status, *(c.severity for c in claims)], key=lambda s: s.rank)
    return Verdict(worst, claims, summary, clock_text(page.get("clock")))


def _claim(event: Any, chunk: Chunk, status: Severity) -> Claim:
    if not isinstance(event, dict):
        raise VlmGarbled("an event is not an object")
    objects = event.get("objects", [])
    if not isinstance(objects, list):
        raise VlmGarbled("objects is not a list")
    return Claim(
        kind=kind(event.get("kind")),
        span=_span(event, chunk),
        severity=severity(event["severity"]) if "severity" in event else status,
        objects=tuple(sorted({object_name(o) for o in objects}, key=_by_number)),
        clock=clock_text(event.get("clock")),
        description=str(event.get("description") or ""),
        confidence=_confidence(event.get("confidence")),
    )


def severity(word: Any) -> Severity:
    """A severity by its word, in any letter case and with brackets or stars around it."""
    try:
        return Severity(str(word).strip(" *[]\"'.").lower())
    except ValueError:
        raise VlmGarbled(f"{str(word)[:40]!r} is not a severity") from None


def kind(word: Any) -> Kind:
    """A kind by its word; a word outside the glossary is `other`."""
    text = str(word or "other").strip().lower()
    if text in _KINDS:
        return _KINDS[text]
    return Kind(text.replace(" ", "_")) if text.replace(" ", "_") in set(Kind) else Kind.OTHER


def object_name(value: Any) -> str:
    """An object's label: "obj004", "Object 4" and 4 are all "4"; other names stay."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise VlmGarbled("an object is neither a number nor a name")
    match = _OBJECT.match(str(value).strip())
    return match[1] if match else str(value).strip()[:80]


def clock_text(value: Any) -> str | None:
    """The burnt-in clock as HH:MM:SS, or None when the text holds none."""
    match = _CLOCK.search(str(value)) if value else None
    return f"{int(match[1]):02d}:{match[2]}:{match[3]}" if match else None


def _span(event: dict[str, Any], chunk: Chunk) -> Span:
    start, end = (_number(event, name) for name in ("start_s", "end_s"))
    length = chunk.span.duration_s
    if start > length and chunk.span.start_s - _SLACK_S <= start <= chunk.span.end_s + _SLACK_S:
        # Some models answer in the time of the whole source.
        start, end = start - chunk.span.start_s, end - chunk.span.start_s
    if not -_SLACK_S <= start <= length + _SLACK_S or end < start:
        raise VlmGarbled(f"an event lasts from {start:g} to {end:g} s in a chunk of {length:g} s")
    start, end = (round(chunk.span.start_s + max(t, 0.0), 3) for t in (start, end))
    return Span(min(start, chunk.span.end_s), min(end, chunk.span.end_s))


def _number(event: dict[str, Any], name: str) -> float:
    value = event.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise VlmGarbled(f"{name} is not a number")
    return float(value)


def _confidence(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _by_number(name: str) -> tuple[bool, int, str]:
    return (not name.isdecimal(), int(name) if name.isdecimal() else 0, name)
