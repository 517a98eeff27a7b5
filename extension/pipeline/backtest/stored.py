"""Stored answers under other rules: nobody is asked again, so what was never asked stays unknown, and is counted. Pure."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from extension.captions import second_asking, second_record
from extension.model import Caption, Claim, Severity, Verdict

NOT_ASKED: Final = "Not asked: the gate would have left this window out."


@dataclass(frozen=True, slots=True)
class Terms:
    """How stored answers are to be judged.

    Attributes:
        merge_gap_s: Events of the same kind and objects closer than this are one incident, media seconds.
        least_severity: Milder claims are no events.
        gate: Whether what the gate would have left out is left out; None takes the windows as they were.
        second_look: Whether second looks count; None takes them where they were made.
    """

    merge_gap_s: float
    least_severity: Severity = Severity.WARN
    gate: bool | None = None
    second_look: bool | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """What the stored answers cannot tell under other terms.

    Attributes:
        gated: Windows that the gate really left out: what they showed is not known.
        ungated: Windows of which it is not known what the gate would have done.
        once: Verdicts of danger that were never looked at twice.
    """

    gated: int = 0
    ungated: int = 0
    once: int = 0


def retold(captions: Sequence[Caption], terms: Terms) -> tuple[list[Caption], Unknown]:
    """The captions as they would have been under other terms, and what cannot be told."""
    seen = [
        second_record.without_second_look(caption) if terms.second_look is False else caption
        for caption in captions
    ]
    told = [_gated(caption) if terms.gate and _would_gate(caption) else caption for caption in seen]
    unknown = Unknown(
        gated=sum(c.asked is False and "gate" in c.stats for c in captions) if terms.gate is False else 0,
        ungated=sum("gate" not in c.stats for c in captions) if terms.gate else 0,
        once=sum(_unchecked(caption) for caption in told) if terms.second_look else 0,
    )
    return [without_mild(caption, terms.least_severity) for caption in told], unknown


def stride_s(captions: Sequence[Caption]) -> float | None:
    """Media seconds from a window to the next, told from the windows themselves; None where they do not overlap."""
    pairs = list(itertools.pairwise(captions))
    steps = [
        (after.chunk.span.start_s - before.chunk.span.start_s) / (after.chunk.index - before.chunk.index)
        for before, after in pairs
        if after.chunk.index > before.chunk.index
    ]
    lengths = [caption.chunk.span.duration_s for caption in captions]
    if not steps or statistics.median(steps) >= statistics.median(lengths):
        return None
    return statistics.median(steps)


def _would_gate(caption: Caption) -> bool:
    gate = caption.stats.get("gate")
    return isinstance(gate, dict) and gate.get("decision") == "gated"


def _gated(caption: Caption) -> Caption:
    return Caption(
        caption.chunk, "", Verdict(Severity.SAFE, (), NOT_ASKED), None, {**caption.stats, "asked": False}
    )


def _unchecked(caption: Caption) -> bool:
    """Whether a verdict asks for a second look, and there was none."""
    grave = caption.verdict is not None and bool(second_asking.checked(caption.verdict))
    return grave and second_record.KEY not in caption.stats


def without_mild(caption: Caption, least: Severity) -> Caption:
    """The caption without claims milder than that."""
    if caption.verdict is None:
        return caption
    kept: tuple[Claim, ...] = tuple(c for c in caption.verdict.claims if c.severity.rank >= least.rank)
    return replace(caption, verdict=replace(caption.verdict, claims=kept))
