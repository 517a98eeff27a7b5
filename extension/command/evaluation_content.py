"""Reads what a VLM said about one chunk for scoring, entry by entry; what cannot be read is named, never dropped. Pure.

It accepts what the service accepts (`extension.captions`) and, beside that, lists whose entries are partly bad, a bare
`{"HH:MM:SS": [ids]}` and Python literals. Prose is no answer.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from extension.captions import parse, schema
from extension.errors import VlmGarbled
from extension.model import Chunk, Claim, Kind
from extension.timetravel.readback import RawChunk, parsed_groups
from extension.timetravel.scoring_runs import Second, Truth

_LITERAL_CHARACTERS: Final = 100_000
"""Longer answers are not tried as Python literals."""

_FENCED: Final = re.compile(r"```json\s*(.*?)```", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """What one answer came to: seconds named by the clock, claims in media time, the clock readings in them, and what could not be read."""

    seconds: tuple[Second, ...] = ()
    claims: tuple[Claim, ...] = ()
    readings: tuple[tuple[float, str], ...] = ()
    reasons: tuple[str, ...] = ()


def said(raw: RawChunk, chunk: Chunk, truth: Truth, speed: float) -> Said:
    """Read one answer.

    Args:
        raw: The answer as it came.
        chunk: The chunk it speaks of.
        truth: Gives clock and labels.
        speed: Log seconds per media second; tells which day a clock means in a log of several days.
    """
    if raw.failure:
        return Said(reasons=(raw.failure,))
    try:
        page = _page(parse.unwrap(raw.content))
        if (entries := _entries(page)) is not None:
            return by_clock(entries, truth, chunk.span.start_s * speed)
        caption = parse.read(raw.content, chunk, {})
    except VlmGarbled as exc:
        return Said(reasons=(str(exc),))
    if caption.verdict is None:
        failure = caption.failure
        return Said(reasons=(f"{failure.code}: {failure.message}" if failure else "no verdict",))
    claims = tuple(
        claim for claim in caption.verdict.claims if claim.kind is Kind.COLLISION and claim.objects
    )
    readings = tuple((claim.span.start_s, claim.clock) for claim in claims if claim.clock)
    begins = ((chunk.span.start_s, caption.verdict.clock),) if caption.verdict.clock else ()
    return Said(claims=claims, readings=begins + readings)


def predecessors_reading(content: str) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """What the predecessor's reader takes out of an answer: a list inside a json fence, or a bare list; all else is skipped in silence.

    Returns:
        Clock text and ids, entry by entry; it takes any key for a time, and only numbers for ids.
    """
    fenced = _FENCED.search(content)
    body = (fenced[1] if fenced else content).strip()
    try:
        page = json.loads(body) if body.startswith("[") else []
        return tuple((str(time), tuple(map(int, ids))) for entry in page for time, ids in entry.items())
    except (ValueError, TypeError, AttributeError):
        return ()


def _page(body: str) -> Any:
    """The answer's value: JSON, JSON amid prose, or a Python literal; None when it is neither."""
    opening = re.search(r"[{\[]", body)
    if opening is None:
        return None
    rest = body[opening.start() :]
    try:
        value, end = json.JSONDecoder().raw_decode(rest)
    except (ValueError, RecursionError):
        return _literal(rest)
    # An empty value amid prose may be the rest of an answer that was cut off: it is no proof of calm.
    return value if value or (opening.start() == 0 and end == len(body)) else None


def _literal(text: str) -> Any:
    if len(text) > _LITERAL_CHARACTERS:
        return None
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _entries(page: Any) -> list[Any] | None:
    """The entries of an answer by clock; None when it is another kind of answer."""
    if isinstance(page, list):
        return page
    by_clock = isinstance(page, dict) and page and all(schema.clock_text(key) for key in page)
    return [page] if by_clock else None


def by_clock(entries: list[Any], truth: Truth, near_s: float | None) -> Said:
    """Read entries `{"HH:MM:SS": [ids]}` one by one; `near_s` is the log second that they are near, where it is known."""
    seconds: list[Second] = []
    reasons: list[str] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, Mapping):
            reasons.append(f"entry {number}: {str(entry)[:60]!r} is not a time with its objects")
            continue
        for time, value in entry.items():
            try:
                seconds += _named(time, value, truth, near_s)
            except (ValueError, VlmGarbled) as exc:
                reasons.append(f"entry {number}: {exc}")
    return Said(seconds=tuple(seconds), reasons=tuple(reasons))


def _named(time: Any, value: Any, truth: Truth, near_s: float | None) -> list[Second]:
    second = truth.clock.second_of(str(time), near_s)
    if second is None:
        raise ValueError(f"{str(time)[:40]!r} is not a time HH:MM:SS")
    return [
        (second, tuple(dict.fromkeys(truth.label(schema.object_name(name)) for name in group)))
        for group in parsed_groups(value)
    ]
