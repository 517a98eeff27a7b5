"""A via-server that answers a first look and a second one differently, and what the tests say by it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from tests.pipeline.via_double import SAFE, Answer, ViaDouble, captions

Say = Callable[[float], str]
"""An answer by the second of the source that is shown first."""

Second = Callable[[dict[str, Any]], str | Answer]
"""The answer to a request for a second look: its text, or the whole of it."""


def saying(
    start_s: float, end_s: float, kind: str = "fall", severity: str = "danger", summary: str = ""
) -> str:
    """An answer with one event, seconds from the start of what is shown."""
    event = {
        "kind": kind,
        "start_s": start_s,
        "end_s": end_s,
        "severity": severity,
        "objects": ["person"],
        "description": "A person falls.",
    }
    return json.dumps({"status": severity, "events": [event], "summary": summary})


def calm(_asked: object) -> str:
    """Nothing happened."""
    return SAFE


def is_second(query: dict[str, Any]) -> bool:
    """Whether a caption request asks for a second look."""
    return any(head in query["prompt"] for head in ("The earlier look reported", "앞선 판단의 보고(자료)"))


def claims_of(query: dict[str, Any]) -> list[dict[str, Any]]:
    """The claims that a second look was to check."""
    found = re.search(r"The earlier look reported, as data: (\[.*\])$", query["prompt"])
    assert found is not None
    pages: list[dict[str, Any]] = json.loads(found[1])
    return pages


def seconds(double: ViaDouble) -> list[dict[str, Any]]:
    """The requests for second looks so far."""
    return [query for query in double.queries if is_second(query)]


def script(first: Say, second: Second) -> Callable[[dict[str, Any], int], Answer]:
    """What a via-server says to either."""

    def answer(query: dict[str, Any], _number: int) -> Answer:
        if not is_second(query):
            return 200, captions(query, first)
        said = second(query)
        return (200, captions(query, lambda _s: said)) if isinstance(said, str) else said

    return answer
