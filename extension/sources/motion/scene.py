"""Follows what one camera sees from piece to piece and says what moves in each. Decodes nothing; pure but for what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from extension.sources.motion.difference import Blob, Difference, difference
from extension.sources.motion.motion import Motion
from extension.sources.motion.restless import Restless
from extension.sources.motion.sketches import Levels, Sketch

LEAST_DRIFT: Final = 0.002
"""Share of the picture by which a slow change counts: 29 px of a sketch, a small flame or a wisp of smoke."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A few seconds of a camera.

    Attributes:
        duration_s: Its length, seconds.
        keys: Its key frames, in order.
        tail: Pictures after the last of them; asked for only when the key frames show no motion.
    """

    duration_s: float
    keys: Sequence[Sketch]
    tail: Callable[[], Sequence[Sketch]]


class Scene:
    """What is remembered of a camera: its last picture, the last one that moved, and what never rests there."""

    def __init__(self) -> None:
        self._begin((0, 0))

    def _begin(self, shape: tuple[int, ...]) -> None:
        """Forget everything: pictures of another shape cannot be compared."""
        self._shape = shape
        self._last: Levels | None = None
        self._moved: Levels | None = None
        self._restless = Restless(shape)

    def measure(self, piece: Piece) -> Motion | None:
        """The motion of the next piece; None when it has too few pictures to tell."""
        if piece.keys and piece.keys[0].levels.shape != self._shape:
            self._begin(piece.keys[0].levels.shape)
        whole = self._moves(piece.keys)
        seen = piece.keys if whole else [*piece.keys, *piece.tail()]
        steps = self._steps(seen)
        if seen:
            self._last = seen[-1].levels
        if not steps:
            return None
        motion = self._told(seen, steps, piece.duration_s if whole else None)
        changed = np.logical_or.reduce([step.mask for step in steps])
        self._restless.learn(changed, piece.duration_s)
        if motion.moving or self._moved is None:
            self._moved = self._last
        return motion

    def _moves(self, seen: Sequence[Sketch]) -> bool:
        """Whether any of the pictures shows motion."""
        return any(self._restless.moving(step.blobs) for step in self._steps(seen))

    def _steps(self, seen: Sequence[Sketch]) -> list[Difference]:
        """From each picture to the next, the last piece's last picture before them."""
        before = [] if self._last is None else [self._last]
        return [difference(one, other) for one, other in pairwise([*before, *(s.levels for s in seen)])]

    def _told(self, seen: Sequence[Sketch], steps: Sequence[Difference], whole_s: float | None) -> Motion:
        shares = [_share(self._restless.moving(step.blobs), step) for step in steps]
        drift = 0.0
        if self._moved is not None:
            since = difference(self._moved, seen[-1].levels)
            drift = _share(self._restless.moving(since.blobs), since)
        moving_s = _moving_s(seen, shares) if whole_s is None else whole_s
        return Motion(
            moving=max(shares) > 0 or drift >= LEAST_DRIFT,
            share=max(shares),
            moving_s=moving_s,
            drift=drift,
            frozen=all(step.same for step in steps),
        )


def _share(found: Sequence[Blob], step: Difference) -> float:
    return sum(blob.area_px for blob in found) / step.mask.size


def _moving_s(seen: Sequence[Sketch], shares: Sequence[float]) -> float:
    """Seconds between pictures that differ; `shares` may begin with the step from the piece before, which takes none of this one's time."""
    ends = [sketch.at_s for sketch in seen]
    spans_s = [after - before for before, after in pairwise(ends)]
    return sum(
        span_s for span_s, share in zip(reversed(spans_s), reversed(shares), strict=False) if share > 0
    )
