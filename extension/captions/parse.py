"""Turns the VLM's text into a verdict, or says by name why it cannot. It decides nothing about severity or merging.

Accepted, first match wins: our schema (version 1), the override's error marker, the list of `{"HH:MM:SS": [ids]}` and the
`Safety Status:` lines of earlier systems; each with or without code fences and reasoning tags. No decision is ever made by
looking for words in prose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from extension.captions import legacy, schema
from extension.errors import VlmGarbled
from extension.model import Caption, Chunk, Failure, Verdict

GARBLED = "Garbled"
_REASONING = re.compile(r"<think>.*?</think>", re.DOTALL | re.IGNORECASE)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|$)", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"```[a-zA-Z]*\s*\n?(.*?)```", re.DOTALL)

ClockToMedia = Callable[[str], float | None]


def read(
    text: str, chunk: Chunk, stats: dict[str, Any], clock_to_media: ClockToMedia | None = None
) -> Caption:
    """Read one answer.

    Args:
        text: The answer as it came.
        chunk: The chunk it speaks of.
        stats: What the override reported beside the answer.
        clock_to_media: Media seconds of a burnt-in clock text, for answers that name times by clock only.

    Returns:
        A caption with its verdict, or with the failure: the override's own code, or "Garbled".
    """
    try:
        body = unwrap(text)
        page = _json(body)
        if (marker := schema.error_marker(page)) is not None:
            return Caption(chunk, text, None, marker, stats)
        return Caption(chunk, text, _verdict(page, body, chunk, clock_to_media), None, stats)
    except VlmGarbled as exc:
        return Caption(chunk, text, None, Failure(GARBLED, str(exc)), stats)


def unwrap(text: str) -> str:
    """The answer without reasoning, `<answer>` tags and code fences."""
    body = _REASONING.sub("", text)
    if "<think>" in body.lower():
        raise VlmGarbled("the answer ends inside its reasoning")
    if (answer := _ANSWER.search(body)) is not None:
        body = answer[1]
    if (fence := _FENCE.search(body)) is not None:
        body = fence[1]
    return body.strip()


def _verdict(page: Any, body: str, chunk: Chunk, clock_to_media: ClockToMedia | None) -> Verdict:
    if isinstance(page, dict) and "status" in page:
        return schema.verdict(page, chunk)
    if isinstance(page, list):
        return legacy.clock_list(page, chunk, clock_to_media)
    if page is None and (lines := legacy.status_lines(body, chunk)) is not None:
        return lines
    raise VlmGarbled(
        "the answer is neither a verdict nor a known older form" if body else "the answer is empty"
    )


def _json(body: str) -> Any:
    """The JSON value that the body is, or else the one that its first brace or bracket opens.

    An empty value amid prose is not taken: it may be the rest of an answer that was cut off, and would read as calm.
    """
    decoder = json.JSONDecoder(parse_constant=_no_constants)
    opening = re.search(r"[{\[]", body)
    if opening is None:
        return None
    try:
        value, end = decoder.raw_decode(body, opening.start())
    except (ValueError, RecursionError):
        return None
    whole = opening.start() == 0 and end == len(body)
    return value if value or whole else None


def _no_constants(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
