"""Verdicts on camera footage, and what a second look says of them, for tests."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from extension.captions.prompts import Prompt
from extension.captions.second import Looked
from extension.captions.second_asking import Look
from extension.model import Caption, Chunk, Claim, Failure, Kind, Severity, Span, Verdict

PROMPT = Prompt("second_look.v1", "You look again.", "What do you see?")
SHOWN = Span(0.0, 10.0)
TIMEOUT = Failure("Timeout", "no answer within 60 s")


def claim(
    start_s: float, end_s: float, kind: Kind = Kind.FALL, severity: Severity = Severity.DANGER, **more: Any
) -> Claim:
    """A person falls."""
    return Claim(kind, Span(start_s, end_s), severity, **{"objects": ("person",), **more})


def verdict(*claims: Claim, summary: str = "first") -> Verdict:
    """As bad as its worst claim."""
    status = max((c.severity for c in claims), key=lambda s: s.rank, default=Severity.SAFE)
    return Verdict(status, claims, summary, "00:00:07")


def caption(*claims: Claim, span: Span = SHOWN, **stats: Any) -> Caption:
    """The first answer for a chunk."""
    return Caption(Chunk(3, span), "the first answer", verdict(*claims), None, {"latency_ms": 70, **stats})


def looked(
    checked: tuple[Claim, ...], *told: Claim, shown: Span = SHOWN, failure: Failure | None = None
) -> Looked:
    """A second look at some claims, and what it told, or why it told nothing."""
    return Looked(
        look=Look(shown, checked),
        prompt=PROMPT,
        text="the second answer" if failure is None else "",
        verdict=verdict(*told, summary="second") if failure is None else None,
        failure=failure,
        stats={"latency_ms": 90},
        took_ms=120,
    )


def _span(within: Span) -> st.SearchStrategy[Span]:
    thousandths = st.integers(round(within.start_s * 1000), round(within.end_s * 1000))
    return st.tuples(thousandths, thousandths).map(lambda pair: Span(min(pair) / 1000, max(pair) / 1000))


def claims(within: Span = SHOWN) -> st.SearchStrategy[tuple[Claim, ...]]:
    """Any claims of a chunk, up to four."""
    one = st.builds(
        Claim,
        kind=st.sampled_from(Kind),
        span=_span(within),
        severity=st.sampled_from(Severity),
        objects=st.sampled_from([(), ("person",), ("forklift", "person"), ("3", "7")]),
        clock=st.sampled_from([None, "00:00:09"]),
        description=st.sampled_from(["", "It happens.", "넘어짐"]),
        confidence=st.sampled_from([None, 0.5]),
    )
    return st.lists(one, max_size=4).map(tuple)
