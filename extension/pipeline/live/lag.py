"""How long windows take from their end to the store, counted by bounds, as Prometheus counts. Decides nothing."""

from __future__ import annotations

import bisect
import threading
from dataclasses import dataclass
from typing import Final

BOUNDS_S: Final = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0)
"""A segment is two seconds long and a VLM takes one to ten; beyond that a window waited."""


@dataclass(frozen=True, slots=True)
class LagCount:
    """How many windows took at most each bound (seconds), one more for those above all; `sum_s` is of all of them."""

    counts: tuple[int, ...]
    sum_s: float


class Lag:
    """Counts how late windows are. Safe to use from several threads."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0
        self._lock = threading.Lock()

    def note(self, late_s: float) -> None:
        """A window was stored so long after its end, seconds; a clock that was set back counts as no time."""
        late_s = max(0.0, late_s)
        with self._lock:
            self._counts[bisect.bisect_left(BOUNDS_S, late_s)] += 1
            self._sum_s += late_s

    def read(self) -> LagCount:
        """What is counted so far, each window under the first bound that it keeps."""
        with self._lock:
            return LagCount(tuple(self._counts), self._sum_s)
