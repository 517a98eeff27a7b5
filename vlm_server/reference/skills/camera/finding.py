"""What the rules of this skill hand over: one accident on the chunk's own time axis."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Finding:
    """One thing that happened.

    Attributes:
        kind: Word of the verdict schema.
        severity: Word of the verdict schema.
        start_s: Its onset, seconds on the request's time axis.
        end_s: When it was last seen.
        objects: Who takes part, in words.
        description: What was measured.
        confidence: 0 to 1; larger when every measure is farther inside its bound, no probability.
    """

    kind: str
    severity: str
    start_s: float
    end_s: float
    objects: tuple[str, ...]
    description: str
    confidence: float


def score(*margins: float) -> float:
    """Return 0.5 to 0.95 from how many times over each measure passes its bound; grows with every one of them."""
    weakest = min(max(0.0, margin - 1.0) for margin in margins)
    mean = float(np.mean([max(0.0, margin - 1.0) for margin in margins]))
    return round(0.5 + 0.45 * float(np.tanh(0.6 * weakest + 0.4 * mean)), 3)


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Join findings of one kind that overlap in time: two views or two parts of a body are one accident."""
    kept: list[Finding] = []
    for one in sorted(findings, key=lambda f: (-(f.severity == "danger"), -f.confidence, f.start_s)):
        for place, other in enumerate(kept):
            if other.kind == one.kind and one.start_s <= other.end_s and other.start_s <= one.end_s:
                kept[place] = replace(
                    other, start_s=min(one.start_s, other.start_s), end_s=max(one.end_s, other.end_s)
                )
                break
        else:
            kept.append(one)
    return sorted(kept, key=lambda f: (f.start_s, f.kind))
